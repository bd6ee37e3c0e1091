"""``vmaf-tune sidecar status``, ``show`` and ``history``: what was learned, for people and programs."""

from __future__ import annotations

from typing import Any

import click
import msgspec
import numpy as np

from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.cli.sidecar.chosen import (
    Chosen,
    all_chosen,
    named_encoder,
    named_scale_option,
    nothing_learned,
    one_chosen,
    sidecar_session,
    unit_of,
    used_states,
)
from vmaftune.cli.sidecar.options import one_plugin_option, plugin_option, predictor_option, scale_option
from vmaftune.cli.sidecar.tables import coloured, counted, moment, of_scale, print_table, size, vmaf
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.inspection import LearnedCapture, LearnedState, LearnedTerm
from vmaftune.encoders.spec import check_preset, number
from vmaftune.host import versions
from vmaftune.learned.ordinary import ordinary_context
from vmaftune.quality.scale import USUAL, Scale

_TERMS_SHOWN = 15
_CRFS_SHOWN = 9


class StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one correction has learned of one encoder, from scores of one scale. ``in_use``: whether it is of the predictor
    version in use."""

    plugin: str
    in_use: bool
    scale: str
    state: LearnedState


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``status --json`` prints. ``in_use`` is the version that each correction uses for the usual encoder."""

    encoder: str
    in_use: dict[str, str]
    states: list[StatusRow]


class ShowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show --json`` prints. ``shift`` is for an ordinary source, at ``crfs``; ``shift_vmaf`` is the same where the
    metric is VMAF, else None."""

    plugin: str
    predictor_version: str
    scale: str
    encoder: str
    preset: str | None
    captures: int
    terms: list[LearnedTerm]
    crfs: list[float]
    shift: list[float]
    shift_vmaf: list[float] | None
    note: str | None


@click.command("status")
@plugin_option
@predictor_option
@host_options
@json_option
def status(**options: Any) -> None:
    """What was learned of each encoder, and whether it still fits.

    learning: too few captures to judge; healthy; drifting: what is left after correction is more than the model's card lets
    expect; stale: no capture for half a year; old: of a predictor version that is not in use.

    \b
    vmaf-tune sidecar status
    """
    session = sidecar_session(options)
    found = all_chosen(session, options["plugins"])
    encoder = named_encoder(session, None)
    in_use = {chosen.name: chosen.version(encoder, None) for chosen in found}
    rows = [
        StatusRow(
            plugin=chosen.name,
            in_use=chosen.in_use(state, session),
            scale=versions.identity_in(state.predictor_version),
            state=state,
        )
        for chosen in found
        for state in chosen.inspection.states()
    ]
    if options["as_json"]:
        print_json(StatusReport(encoder=encoder.name, in_use=in_use, states=rows))
    elif not rows:
        click.echo(nothing_learned(list(in_use)))
    else:
        _print_status(rows)
        for name, version in in_use.items():
            click.echo(f"in use for {encoder.name}: {name} with {version}")


@click.command("show")
@click.argument("encoder")
@click.option("--preset", metavar="NAME", help="The encoder's preset.  [default: the encoder's own]")
@click.option("--scale", metavar="NAME", help="Scale of the scores, as status names it.  [default: vmaf_v0.6.1]")
@one_plugin_option
@predictor_option
@host_options
@json_option
def show(encoder: str, preset: str | None, scale: str | None, **options: Any) -> None:
    """What the correction for ENCODER is made of, and how it shifts the curve of an ordinary source.

    \b
    vmaf-tune sidecar show libx265 --preset slow
    """
    session = sidecar_session(options)
    spec = named_encoder(session, encoder)
    check_preset(spec, preset)
    of = named_scale_option(session, scale) or USUAL
    report = _show_report(one_chosen(session, options["plugins"]), spec, preset or spec.default_preset, of)
    if options["as_json"]:
        print_json(report)
        return
    what = f"{report.encoder} preset {report.preset or 'none'} with {report.predictor_version}{of_scale(of)}"
    if not report.terms:
        click.echo(f"{report.plugin} has learned nothing of {what}")
        return
    click.echo(f"{report.plugin} for {what}, from {counted(report.captures, 'capture')}")
    _print_show(report, unit_of(session, report.predictor_version))


@click.command("history")
@click.argument("encoder")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the last N.")
@scale_option
@plugin_option
@predictor_option
@host_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def history(encoder: str, limit: int | None, scale: str | None, **options: Any) -> None:
    """The captures of ENCODER that are still held, the oldest first.

    \b
    vmaf-tune sidecar history libx265 --limit 20
    """
    session = sidecar_session(options)
    spec, of = named_encoder(session, encoder), named_scale_option(session, scale)
    held = [
        (chosen.name, state.predictor_version, capture)
        for chosen in all_chosen(session, options["plugins"])
        for state in used_states(session, chosen, spec.name, of)
        for capture in chosen.inspection.captures(state.predictor_version, spec.name)
    ]
    held = held[-limit:] if limit else held
    if options["as_json"]:
        for name, version, capture in held:
            fields = {**msgspec.structs.asdict(capture), "crf": _crf(spec, capture)}
            what = {"predictor_version": version, "scale": versions.identity_in(version), "encoder": spec.name}
            print_json({"plugin": name, **what, **fields})
    elif not held:
        click.echo(f"no capture of {spec.name} is held for the predictor in use")
    else:
        _print_history(spec, held)


def _show_report(chosen: Chosen, spec: EncoderSpec, preset: str | None, scale: Scale) -> ShowReport:
    version = chosen.version(spec, preset, scale)
    curve = chosen.run.predict(ordinary_context(spec, preset, scale))
    adjustment = curve.adjustments.get(chosen.name)
    crfs = curve.context.crfs
    places = np.unique(np.linspace(0, len(crfs) - 1, _CRFS_SHOWN).round().astype(int))
    shift = np.zeros(len(crfs)) if adjustment is None else adjustment.shift
    shown = np.round(shift[places], 4).tolist()
    return ShowReport(
        plugin=chosen.name,
        predictor_version=version,
        scale=scale.identity,
        encoder=spec.name,
        preset=preset,
        captures=0 if adjustment is None else adjustment.captures,
        terms=chosen.inspection.terms(version, spec.name, preset),
        crfs=crfs[places].tolist(),
        shift=shown,
        shift_vmaf=shown if scale.metric == "vmaf" else None,
        note=None if adjustment is None else adjustment.note,
    )


def _print_status(rows: list[StatusRow]) -> None:
    numbers = ("captures", "sources", "rms before", "rms after", "ratio", "size")
    headings = (
        "plugin",
        "predictor",
        "scale",
        "encoder",
        "captures",
        "sources",
        "status",
        *numbers[2:5],
        "last capture",
        "size",
    )
    shown = []
    for row in rows:
        s = row.state
        shown.append(
            (
                *(row.plugin, s.predictor_version, row.scale, s.encoder, str(s.captures), str(s.sources)),
                coloured(s.status if row.in_use else "old"),
                *(vmaf(s.rms_before), vmaf(s.rms_after), vmaf(s.ratio)),
                *(moment(s.last_unix_seconds), size(s.size_bytes)),
            )
        )
    print_table(headings, shown, numbers)


def _print_show(report: ShowReport, unit: str) -> None:
    numbers = (f"{unit} per unit", "give or take")
    largest = report.terms[:_TERMS_SHOWN]
    print_table(("term", *numbers), [(t.name, f"{t.weight:+.3f}", f"{t.deviation:.3f}") for t in largest], numbers)
    if smaller := len(report.terms) - len(largest):
        click.echo(f"and {counted(smaller, 'smaller term')} (--json has all)")
    click.echo(f"shift of an ordinary source, {unit}")
    click.echo("   CRF " + "".join(f"{number(crf):>8}" for crf in report.crfs))
    click.echo("       " + "".join(f"{shift:+8.2f}" for shift in report.shift))
    if report.note:
        click.echo(report.note)


def _print_history(spec: EncoderSpec, held: list[tuple[str, str, LearnedCapture]]) -> None:
    numbers = ("CRF", "deviation", "residual", "left")
    rows = []
    for _, version, capture in held:
        values = (capture.deviation, capture.residual, capture.left)
        rows.append(
            (
                *(
                    moment(capture.unix_seconds),
                    versions.identity_in(version),
                    capture.preset or "none",
                    number(_crf(spec, capture)),
                ),
                *(vmaf(values[0]), vmaf(values[1], True), vmaf(values[2], True)),
                "counts for nothing" if capture.absurd else "",
            )
        )
    print_table(("when", "scale", "preset", *numbers, ""), rows, numbers)


def _crf(spec: EncoderSpec, capture: LearnedCapture) -> float:
    """The CRF of a capture, from its place in the search range."""
    low, high = spec.search_range
    place = 1.0 - capture.crf_position if spec.higher_is_better else capture.crf_position
    return round(low + place * (high - low), 2)

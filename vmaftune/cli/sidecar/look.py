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
    nothing_learned,
    one_chosen,
    sidecar_session,
    used_states,
)
from vmaftune.cli.sidecar.options import one_plugin_option, plugin_option, predictor_option
from vmaftune.cli.sidecar.tables import coloured, counted, moment, print_table, size, vmaf
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.inspection import LearnedCapture, LearnedState, LearnedTerm
from vmaftune.encoders.spec import check_preset, number
from vmaftune.jobs.session import Session
from vmaftune.learned.ordinary import ordinary_context

_TERMS_SHOWN = 15
_CRFS_SHOWN = 9


class StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one correction has learned of one encoder. ``in_use``: whether it is of the predictor version in use."""

    plugin: str
    in_use: bool
    state: LearnedState


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``status --json`` prints. ``in_use`` is the version that each correction uses for the usual encoder."""

    encoder: str
    in_use: dict[str, str]
    states: list[StatusRow]


class ShowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``show --json`` prints. ``shift_vmaf`` is for an ordinary source, at ``crfs``."""

    plugin: str
    predictor_version: str
    encoder: str
    preset: str | None
    captures: int
    terms: list[LearnedTerm]
    crfs: list[float]
    shift_vmaf: list[float]
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
    versions = {chosen.name: chosen.version(encoder, None) for chosen in found}
    rows = [
        StatusRow(plugin=chosen.name, in_use=chosen.in_use(state, session), state=state)
        for chosen in found
        for state in chosen.inspection.states()
    ]
    if options["as_json"]:
        print_json(StatusReport(encoder=encoder.name, in_use=versions, states=rows))
    elif not rows:
        click.echo(nothing_learned(list(versions)))
    else:
        _print_status(rows)
        for name, version in versions.items():
            click.echo(f"in use for {encoder.name}: {name} with {version}")


@click.command("show")
@click.argument("encoder")
@click.option("--preset", metavar="NAME", help="The encoder's preset.  [default: the encoder's own]")
@one_plugin_option
@predictor_option
@host_options
@json_option
def show(encoder: str, preset: str | None, **options: Any) -> None:
    """What the correction for ENCODER is made of, and how it shifts the curve of an ordinary source.

    \b
    vmaf-tune sidecar show libx265 --preset slow
    """
    session = sidecar_session(options)
    spec = named_encoder(session, encoder)
    check_preset(spec, preset)
    report = _show_report(session, one_chosen(session, options["plugins"]), spec, preset or spec.default_preset)
    if options["as_json"]:
        print_json(report)
        return
    what = f"{report.encoder} preset {report.preset or 'none'} with {report.predictor_version}"
    if not report.terms:
        click.echo(f"{report.plugin} has learned nothing of {what}")
        return
    click.echo(f"{report.plugin} for {what}, from {counted(report.captures, 'capture')}")
    _print_show(report)


@click.command("history")
@click.argument("encoder")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the last N.")
@plugin_option
@predictor_option
@host_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def history(encoder: str, limit: int | None, **options: Any) -> None:
    """The captures of ENCODER that are still held, the oldest first.

    \b
    vmaf-tune sidecar history libx265 --limit 20
    """
    session = sidecar_session(options)
    spec = named_encoder(session, encoder)
    held = [
        (chosen.name, state.predictor_version, capture)
        for chosen in all_chosen(session, options["plugins"])
        for state in used_states(session, chosen, spec.name)
        for capture in chosen.inspection.captures(state.predictor_version, spec.name)
    ]
    held = held[-limit:] if limit else held
    if options["as_json"]:
        for name, version, capture in held:
            fields = {**msgspec.structs.asdict(capture), "crf": _crf(spec, capture)}
            print_json({"plugin": name, "predictor_version": version, "encoder": spec.name, **fields})
    elif not held:
        click.echo(f"no capture of {spec.name} is held for the predictor in use")
    else:
        _print_history(spec, held)


def _show_report(session: Session, chosen: Chosen, spec: EncoderSpec, preset: str | None) -> ShowReport:
    version = chosen.version(spec, preset)
    curve = chosen.run.predict(ordinary_context(spec, preset))
    adjustment = curve.adjustments.get(chosen.name)
    crfs = curve.context.crfs
    places = np.unique(np.linspace(0, len(crfs) - 1, _CRFS_SHOWN).round().astype(int))
    shift = np.zeros(len(crfs)) if adjustment is None else adjustment.shift
    return ShowReport(
        plugin=chosen.name,
        predictor_version=version,
        encoder=spec.name,
        preset=preset,
        captures=0 if adjustment is None else adjustment.captures,
        terms=chosen.inspection.terms(version, spec.name, preset),
        crfs=crfs[places].tolist(),
        shift_vmaf=np.round(shift[places], 4).tolist(),
        note=None if adjustment is None else adjustment.note,
    )


def _print_status(rows: list[StatusRow]) -> None:
    numbers = ("captures", "sources", "rms before", "rms after", "ratio", "size")
    headings = (
        "plugin",
        "predictor",
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
                *(row.plugin, s.predictor_version, s.encoder, str(s.captures), str(s.sources)),
                coloured(s.status if row.in_use else "old"),
                *(vmaf(s.rms_before), vmaf(s.rms_after), vmaf(s.ratio)),
                *(moment(s.last_unix_seconds), size(s.size_bytes)),
            )
        )
    print_table(headings, shown, numbers)


def _print_show(report: ShowReport) -> None:
    numbers = ("VMAF per unit", "give or take")
    largest = report.terms[:_TERMS_SHOWN]
    print_table(("term", *numbers), [(t.name, f"{t.weight:+.3f}", f"{t.deviation:.3f}") for t in largest], numbers)
    if smaller := len(report.terms) - len(largest):
        click.echo(f"and {counted(smaller, 'smaller term')} (--json has all)")
    click.echo("shift of an ordinary source, VMAF")
    click.echo("   CRF " + "".join(f"{number(crf):>8}" for crf in report.crfs))
    click.echo("       " + "".join(f"{shift:+8.2f}" for shift in report.shift_vmaf))
    if report.note:
        click.echo(report.note)


def _print_history(spec: EncoderSpec, held: list[tuple[str, str, LearnedCapture]]) -> None:
    numbers = ("CRF", "deviation", "residual", "left")
    rows = []
    for _, _, capture in held:
        values = (capture.deviation, capture.residual, capture.left)
        rows.append(
            (
                *(moment(capture.unix_seconds), capture.preset or "none", number(_crf(spec, capture))),
                *(vmaf(values[0]), vmaf(values[1], True), vmaf(values[2], True)),
                "counts for nothing" if capture.absurd else "",
            )
        )
    print_table(("when", "preset", *numbers, ""), rows, numbers)


def _crf(spec: EncoderSpec, capture: LearnedCapture) -> float:
    """The CRF of a capture, from its place in the search range."""
    low, high = spec.search_range
    place = 1.0 - capture.crf_position if spec.higher_is_better else capture.crf_position
    return round(low + place * (high - low), 2)

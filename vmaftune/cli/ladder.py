"""``vmaf-tune ladder``: the rungs of adaptive streaming, from measured encodes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vmaftune.cli.compare_screen import RowScreen
from vmaftune.cli.options import (
    NUMBER,
    encode_options,
    events_option,
    host_options,
    json_option,
    plot_option,
    plugin_options,
    range_options,
    report_option,
    sample_options,
    score_options,
    target_options,
)
from vmaftune.cli.output import aligned, check_csv, print_json, write_csv
from vmaftune.cli.page import write_ladder_page
from vmaftune.cli.plot import check_figure, plot_rates
from vmaftune.cli.sections import SectionedCommand
from vmaftune.encoders.spec import number
from vmaftune.errors import UserError
from vmaftune.events.stream import EventStream
from vmaftune.jobs.ladder import LadderReport, run_ladder
from vmaftune.jobs.observers import Observers
from vmaftune.jobs.session import Session
from vmaftune.quality.scale import USUAL
from vmaftune.quality.targets import flag
from vmaftune.report.page import check_page

_FILE = click.Path(path_type=Path)


@click.command("ladder", cls=SectionedCommand)
@encode_options
@target_options
@click.option("--step-vmaf", type=NUMBER, help="From one rung to the next.  [default: 6]")
@click.option("--step-score", type=NUMBER, help="The same of any metric.  [default: as much as 6 VMAF]")
@click.option("--rungs", type=click.IntRange(1, 20), default=6, show_default=True, help="Rungs at most.")
@click.option("--heights", metavar="1080,720,…", help="Pixels.  [default: the source's and the usual ones below]")
@range_options
@sample_options
@score_options
@plugin_options
@host_options
@plot_option
@report_option
@click.option("--csv", "csv_", type=_FILE, metavar="FILE", help="Write every measured encode.")
@json_option
@events_option
def command(**options: Any) -> int:
    """Which resolution to stream at which bitrate: rungs on the convex hull of bitrate and VERIFIED score.

    All encodes are compared with the source at its own size.

    \b
    vmaf-tune ladder -i film.mkv -e libx264 --min-vmaf 94 --rungs 5
    """
    check_figure(options["plot"])
    check_page(options["report"])
    check_csv(options["csv_"])
    heights = _heights(options["heights"])
    events: EventStream = options["events"]
    events.started("ladder", options["input_"])
    session = Session(options, events.warn)
    step = _step(session, options)
    machine = options["as_json"] or events.on
    with RowScreen(quiet=machine and not sys.stderr.isatty()) as screen:
        told = Observers(screen, events.observer())
        report = run_ladder(session, options["input_"], heights, options["rungs"], step, told)
    if options["as_json"]:
        print_json(report)
    elif not events.on:
        click.echo("\n".join(_lines(report)))
    if options["csv_"] is not None:
        write_csv(
            options["csv_"],
            ("width", "height", "crf", "bitrate_kbps", "vmaf", "rung", "score", "metric"),
            _points(report),
        )
    if options["report"] is not None:
        write_ladder_page(report, options["report"])
    if options["plot"] is not None:
        curves = {f"{curve.width}x{curve.height}": curve.points for curve in report.curves}
        rungs = [(rung.bitrate_kbps, rung.score) for rung in report.rungs]
        title = f"{report.encoder} preset {report.preset or 'none'}"
        plot_rates(curves, report.measure, title, options["plot"], rungs)
    events.result(0, None, ladder=report)
    return 0


def _step(session: Session, options: Mapping[str, Any]) -> float | None:
    """From one rung to the next; None where nobody said."""
    step: float | None = None
    for name in ("step_vmaf", "step_score"):
        if (given := options[name]) is None:
            continue
        if not given > 0:
            raise UserError(f"{flag(name)} {given:g} must be above 0")
        if name == "step_vmaf" and session.metric().name != USUAL.metric:
            raise UserError(f"--step-vmaf is of VMAF, not of {session.metric().name}; name the step with --step-score")
        if step not in (None, given):
            raise UserError(f"--step-vmaf {step:g} and --step-score {given:g} are two steps; give one")
        step = given
    return step


def _heights(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"--heights {text!r} must be pixels separated by commas, such as 1080,720,540") from error


def _points(report: LadderReport) -> list[tuple[object, ...]]:
    rungs = {(rung.width, rung.height, rung.crf) for rung in report.rungs}
    return [
        (
            *(c.width, c.height, p.crf, round(p.bitrate_kbps, 3), p.vmaf),
            *(int((c.width, c.height, p.crf) in rungs), p.score, p.metric),
        )
        for c in report.curves
        for p in c.points
    ]


def _lines(report: LadderReport) -> list[str]:
    rows = [("", "size", "crf", "kb/s", report.measure.label, "")]
    for place, rung in enumerate(report.rungs, 1):
        off = "" if rung.on_hull else "off the hull"
        size = f"{rung.width}x{rung.height}"
        rows.append((str(place), size, number(rung.crf), f"{rung.bitrate_kbps:.0f}", f"{rung.score:.2f}", off))
    return [
        *aligned(rows),
        f"{report.encoder} preset {report.preset or 'none'}, {report.compared()}, {report.pool}; all verified; "
        f"{report.probe_count} encodes, {report.total_seconds:.0f} s",
        "encode with:",
        *(f"  {rung.command}" for rung in report.rungs),
    ]

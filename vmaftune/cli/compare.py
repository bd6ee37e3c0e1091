"""``vmaf-tune compare``: encoders and presets at equal VMAF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from vmaftune.cli.compare_screen import RowScreen
from vmaftune.cli.options import (
    events_option,
    host_options,
    json_option,
    plot_option,
    plugin_options,
    report_option,
    sample_options,
    score_options,
    stream_option,
    target_options,
    tolerance_option,
)
from vmaftune.cli.output import aligned, check_csv, print_json, write_csv
from vmaftune.cli.page import write_compare_page
from vmaftune.cli.plot import check_figure, plot_rates
from vmaftune.cli.sections import SectionedCommand
from vmaftune.encoders.spec import number
from vmaftune.errors import UserError
from vmaftune.events.stream import EventStream
from vmaftune.extras import install_command
from vmaftune.jobs.compare import ComparedEncode, CompareReport, parse_candidates, run_compare
from vmaftune.jobs.observers import Observers
from vmaftune.jobs.session import Session
from vmaftune.report.page import check_page

_FILE = click.Path(path_type=Path)
_NOT_MET = 3


@click.command("compare", cls=SectionedCommand)
@click.option("-i", "--input", "input_", type=_FILE, required=True, metavar="FILE", help="Source video.")
@stream_option
@click.option(
    "-e",
    "--encoder",
    "encoders",
    multiple=True,
    metavar="NAME[:PRESET]",
    help="To compare (repeatable); first: anchor.",
)
@target_options
@tolerance_option
@click.option("--max-probes", type=click.IntRange(1), help="Trial encodes of one search at most.  [default: 10]")
@click.option("--bd-rate/--no-bd-rate", default=True, help="Search lower scores too, for a BD-rate.")
@click.option("--pix-format", metavar="FMT", help="Pixel format to encode.")
@click.option("--vfilter", metavar="CHAIN", help="ffmpeg filters for encode and reference.")
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
    """Which encoder and preset gives the smallest file at the same VERIFIED score, and at what cost in time.

    \b
    vmaf-tune compare -i film.mkv -e libx264:slow -e libsvtav1:8 --min-vmaf 93
    """
    check_figure(options["plot"])
    check_page(options["report"])
    check_csv(options["csv_"])
    candidates = parse_candidates(options["encoders"])
    if options["bd_rate"]:
        _check_bd_rate()
    events: EventStream = options["events"]
    events.started("compare", options["input_"])
    session = Session(options, events.warn)
    machine = options["as_json"] or events.on
    with RowScreen(quiet=machine and not sys.stderr.isatty()) as screen:
        told = Observers(screen, events.observer())
        report = run_compare(session, options["input_"], candidates, told, curves=options["bd_rate"])
    if options["as_json"]:
        print_json(report)
    elif not events.on:
        click.echo("\n".join(_lines(report)))
    if options["csv_"] is not None:
        write_csv(
            options["csv_"], ("encoder", "preset", "crf", "bitrate_kbps", "vmaf", "score", "metric"), _points(report)
        )
    if options["report"] is not None:
        write_compare_page(report, options["report"])
    if options["plot"] is not None:
        curves = {encode.name: encode.points for encode in report.encodes if encode.points}
        title = (
            f"{report.measure.text(report.target, 'g')} and {'below' if report.measure.higher_is_better else 'above'}"
        )
        plot_rates(curves, report.measure, title, options["plot"])
    code = 0 if all(encode.target_met for encode in report.encodes) else _NOT_MET
    events.result(code, None, compare=report)
    return code


def _check_bd_rate() -> None:
    import importlib.util

    if importlib.util.find_spec("bjontegaard") is None:
        raise UserError(f"BD-rates need bjontegaard: {install_command('compare')}, or give --no-bd-rate")


def _points(report: CompareReport) -> list[tuple[object, ...]]:
    return [
        (
            encode.encoder,
            encode.preset or "",
            point.crf,
            round(point.bitrate_kbps, 3),
            point.vmaf,
            point.score,
            point.metric,
        )
        for encode in report.encodes
        for point in encode.points
    ]


def _lines(report: CompareReport) -> list[str]:
    measure = report.measure
    at, target = f"at {report.target:g}", measure.text(report.target, "g")
    rows: list[tuple[str, ...]] = [("", "crf", measure.label, "kb/s", at, "size", "fps", "time", "BD-rate", "encodes")]
    rows += [_row(encode) for encode in report.encodes if encode.failure is None]
    lines = aligned(rows)
    for encode in report.encodes:
        if encode.failure is not None:
            lines.append(f"{encode.name}: {encode.failure}")
        elif not encode.target_met:
            lines.append(f"{encode.missed(measure, report.target)}; its row is of the CRF that came closest")
    anchor = next(encode for encode in report.encodes if encode.failure is None)
    lines.append(
        f"verified {measure.title} of {report.frames} frames ({report.compared()}, {report.pool}); size, time and BD-rate are "
        f"against {anchor.name}, size at exactly {target} between measured scores; {report.total_seconds:.0f} s"
    )
    return lines


def _row(encode: ComparedEncode) -> tuple[str, ...]:
    def shown(value: float | None, form: str) -> str:
        return "-" if value is None else form.format(value)

    return (
        encode.name,
        number(encode.crf or 0.0),
        shown(encode.score, "{:.2f}"),
        shown(encode.bitrate_kbps, "{:.0f}"),
        shown(encode.bitrate_at_target_kbps, "{:.0f}"),
        shown(encode.size_percent, "{:.1f} %"),
        shown(encode.encode_fps, "{:.1f}"),
        shown(encode.time_percent, "{:.0f} %"),
        shown(encode.bd_rate_percent, "{:+.1f} %"),
        str(encode.probe_count),
    )

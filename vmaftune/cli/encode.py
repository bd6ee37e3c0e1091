"""``vmaf-tune encode``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal

from vmaftune.cli.options import (
    NUMBER,
    encode_options,
    events_option,
    goal_options,
    host_options,
    json_option,
    plugin_options,
    range_options,
    report_option,
    sample_options,
    score_options,
    whole_options,
)
from vmaftune.cli.output import print_json
from vmaftune.cli.page import KeptScores, write_encode_page
from vmaftune.cli.screen import Screen
from vmaftune.cli.sections import SectionedCommand
from vmaftune.encoders.spec import number
from vmaftune.events.stream import EventStream
from vmaftune.jobs.encode import missed, run_encode
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.observers import Observers
from vmaftune.jobs.session import Session, warn
from vmaftune.jobs.shots_report import PerShotReport, ShotReport
from vmaftune.media.facts import shown
from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.report.page import check_page

_NOT_MET = 3
_SHOTS_SHOWN = 24


@click.command("encode", cls=SectionedCommand)
@encode_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=".mkv, .mp4, .mov or .webm.  [default: STEM.ENCODER.mkv beside the source]",
)
@whole_options
@click.option("--per-shot", is_flag=True, default=None, help="A CRF for each shot: smaller.")
@click.option("--shot-floor", type=NUMBER, help="Lowest of a shot.  [default: 6 below target]")
@click.option("--compare-one-crf", is_flag=True, default=None, help="Measure what --per-shot saves.")
@click.option("--overwrite", is_flag=True, default=None, help="Replace an output that is there.")
@click.option("--resume", is_flag=True, default=None, help="Keep an output that these settings made.")
@goal_options
@range_options
@sample_options
@score_options
@plugin_options
@host_options
@report_option
@json_option
@events_option
def command(**options: Any) -> int:
    """Search the CRF, then encode the whole and keep every stream; the file has its name only when it is whole.

    \b
    vmaf-tune encode -i film.mkv -e libx265 --min-vmaf 93
    vmaf-tune encode -i film.mkv -o film.mp4 --acodec aac --final-score
    vmaf-tune encode -i film.mkv --per-shot --compare-one-crf
    """
    check_page(options["report"])
    events: EventStream = options["events"]
    events.started("encode", options["input_"])
    session = Session(options, events.warn)
    machine = options["as_json"] or events.on
    with EncodeScreen(quiet=machine and not sys.stderr.isatty()) as screen:
        observer = Observers(screen, events.observer(), kept := KeptScores())
        report = run_encode(session, options["input_"], options["output"], observer)
    if options["as_json"]:
        print_json(report)
    elif not events.on:
        click.echo("\n".join(result_lines(report)))
    message = missed(report)
    if options["report"] is not None:
        write_encode_page(session, report, kept.scores, message, options["report"])
    if message is not None:
        warn(message)
    code = 0 if message is None else _NOT_MET
    events.result(code, message, encode=report)
    return code


class EncodeScreen(Screen):
    """Shows a search, and the encode and the checks after it, on standard error."""

    def searching(self, what: str) -> None:
        self.note(f"  {what}")

    def encoding(self, output: Path, crf: float, frames: int) -> None:
        self._begin(f"encoding at CRF {number(crf)}", frames)

    def encode_progress(self, share: float) -> None:
        self._show(share)

    def checking(self, what: str) -> None:
        self._begin({"decode": "checking every frame", "score": "scoring the whole"}[what], self._whole)

    def check_progress(self, share: float) -> None:
        self._show(share)

    def _begin(self, what: str, frames: int) -> None:
        self._what, self._whole, self._began = what, frames, time.monotonic()
        self.note(f"  {what}{f', {frames} frames' if frames else ''}")
        self._begin_task(what)

    def _show(self, share: float) -> None:
        if self.display is None or self._task is None or share <= 0.0:
            return
        seconds = time.monotonic() - self._began
        rate, left = self._whole * share / max(seconds, 0.001), seconds * (1.0 - share) / share
        described = f"{self._what}  {rate:.1f} fps, {_duration(left)} left"
        self.display.update(self._task, completed=share, description=described)


def result_lines(report: EncodeReport) -> list[str]:
    """The result for a person."""
    sizes = f"{decimal(report.output_bytes)} of {decimal(report.source_bytes)}"
    kbps = report.video_bytes * 8 / 1000 / max(report.duration_seconds, 0.001)
    search, measure = report.search, report.measure
    took = [f"encode {_duration(report.encode_seconds)}", f"all {_duration(report.total_seconds)}"]
    if search is not None:
        took.insert(0, f"search {_duration(search.total_seconds)}")
    crf = f"crf {number(report.crf)}"
    if (by_shot := report.per_shot) is not None:
        crf = f"crf {number(min(s.crf for s in by_shot.shots))} to {number(max(s.crf for s in by_shot.shots))}"
    return [
        f"{shown(report.output)}: {sizes} ({100 * report.output_bytes / max(1, report.source_bytes):.1f} %)",
        f"  video   {report.encoder} preset {report.preset or 'none'}, {report.pix_fmt}, {crf}; "
        f"{kbps:.0f} kb/s, {report.encoded_percent:.1f} % of the source's video",
        *([f"  {measure.title:7} {_score(report)}"] if search is not None or report.final_score is not None else []),
        *(shot_lines(by_shot, report.video_bytes, measure) if by_shot is not None else []),
        *(f"  {'streams' if n == 0 else '':8s}{line}" for n, line in enumerate(report.streams)),
        f"  frames  {report.frames}, {_duration(report.duration_seconds)}"
        + ("; each was decoded and is shown when the source's is" if report.checked else "; not checked"),
        f"  time    {', '.join(took)}",
    ]


def shot_lines(report: PerShotReport, video_bytes: int, measure: Measure = USUAL_MEASURE) -> list[str]:
    """The shots for a person, the most of them that a screen takes, and what they save."""
    lines = [
        f"  {'shots' if n == 0 else '':8s}{_shot(shot, measure)}" for n, shot in enumerate(report.shots[:_SHOTS_SHOWN])
    ]
    if len(report.shots) > _SHOTS_SHOWN:
        lines.append(f"{'':10s}and {len(report.shots) - _SHOTS_SHOWN} more; --json has all")
    one = report.one_crf
    if one is not None:
        where = f"crf {number(one.above.crf)} to {number(one.below.crf)}"
        saved = f"{abs(one.saved_percent):.1f} % {'smaller' if one.saved_percent >= 0 else 'larger'}"
        lines.append(
            f"  gain    {saved} than one CRF at the same {measure.title}: {decimal(video_bytes)}, not {decimal(one.bytes)}"
            f" ({where})"
        )
    return lines


def _shot(shot: ShotReport, measure: Measure) -> str:
    minutes, seconds = divmod(shot.start_seconds, 60)
    what = f"crf {number(shot.crf):<6} {measure.text(shot.score, '6.2f')}  {decimal(shot.bytes)}"
    return f"{int(minutes):3d}:{seconds:05.2f}  {shot.frames:5d} frames  {what}"


def _score(report: EncodeReport) -> str:
    search, final, amount = report.search, report.final_score, report.measure.amount
    if report.per_shot is not None:
        by_shot = report.per_shot
        return (
            f"{amount(final or 0.0)} of the whole, target {by_shot.target:g} to {by_shot.target + by_shot.tolerance:g}"
        )
    if final is None:
        return "" if search is None else f"{amount(search.score)} of the samples, target {search.target:g}"
    if search is None:
        return f"{amount(final)} of the whole"
    off = f"{final - search.score:+.2f} from the samples' {search.score:.2f}"
    return f"{amount(final)} of the whole, {off}; target {search.target:g}"


def _duration(seconds: float) -> str:
    """``12.3 s``, ``4:05``, ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

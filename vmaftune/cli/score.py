"""``vmaf-tune score``: the score of one video against another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import (
    events_option,
    host_options,
    json_option,
    pair_stream_options,
    raw_options,
    score_options,
)
from vmaftune.cli.output import print_json
from vmaftune.events.stream import EventStream
from vmaftune.jobs.score import ScoreReport, run_score
from vmaftune.jobs.session import Session
from vmaftune.media.facts import shown


@click.command("score")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("distorted", type=click.Path(path_type=Path))
@pair_stream_options
@score_options
@raw_options
@click.option("--per-frame", is_flag=True, help="Print the score of every frame too.")
@click.option(
    "--model", metavar="ID|FILE.onnx", help="Tiny model whose score is told beside the real one, such as vmaf_tiny_v2."
)
@host_options
@json_option
@events_option
def command(reference: Path, distorted: Path, **options: Any) -> None:
    """VMAF, or another metric, of DISTORTED against REFERENCE, frame by frame in order; both must have as many frames.

    Pictures of another size than the reference's are scaled to the comparison's size. Raw YUV needs --width and --height.

    \b
    vmaf-tune score film.mkv film.libx265.crf24.mkv
    vmaf-tune score film.yuv encode.yuv --width 1920 --height 1080 --pix-fmt yuv420p10le
    """
    events: EventStream = options["events"]
    events.started("score", reference, distorted)
    session = Session(options, events.warn)
    report = run_score(
        session,
        reference,
        distorted,
        options,
        per_frame=options["per_frame"],
        model=options["model"],
        observer=events.observer(),
    )
    if options["as_json"]:
        print_json(report)
    elif not events.on:
        click.echo("\n".join(_lines(report)))
    events.result(score=report)


def _lines(report: ScoreReport) -> list[str]:
    columns = [report.per_frame or (), *([report.tiny.per_frame or ()] if report.tiny else [])]
    per_frame = [
        f"{n:6d}  " + "  ".join(f"{score:9.4f}" for score in scores)
        for n, scores in enumerate(zip(*columns, strict=True))
    ]
    frames = f"{report.frames} frame{'' if report.frames == 1 else 's'}"
    lines = [
        *per_frame,
        f"{report.measure.text(report.score, '.4f')}"
        f" ({report.pool} of {frames}, lowest {report.min:.2f}; {report.compared()})",
    ]
    if (tiny := report.tiny) is not None:
        off = f"{tiny.vmaf - report.score:+.4f}, RMSE {tiny.rmse:.4f} over frames"
        lines.append(f"tiny {tiny.vmaf:.4f} ({shown(tiny.model)}: {off})")
    return lines

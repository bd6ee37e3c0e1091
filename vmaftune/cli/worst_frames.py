"""``vmaf-tune worst-frames``: where an encode looks worst."""

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
from vmaftune.jobs.session import Session
from vmaftune.jobs.worst_frames import WorstFramesReport, run_worst_frames
from vmaftune.media.facts import shown


@click.command("worst-frames")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("distorted", type=click.Path(path_type=Path))
@click.option("-n", "--count", type=click.IntRange(1, 100), default=5, show_default=True, help="How many frames.")
@click.option("--apart", type=click.IntRange(1), default=1, metavar="FRAMES", help="So far from each other at least.")
@click.option(
    "--pictures", type=click.Path(path_type=Path), metavar="DIR", help="Write reference|encode of each as a PNG."
)
@click.option("--picture-width", type=click.IntRange(16), metavar="PIXELS", help="Of each half at most.")
@pair_stream_options
@score_options
@raw_options
@host_options
@json_option
@events_option
def command(reference: Path, distorted: Path, **options: Any) -> None:
    """The frames of DISTORTED that have the worst VMAF, or other score, worst first: index, time, score and features.

    \b
    vmaf-tune worst-frames film.mkv film.libx265.crf24.mkv -n 8 --apart 24 --pictures worst
    """
    events: EventStream = options["events"]
    events.started("worst-frames", reference, distorted)
    report = run_worst_frames(
        Session(options, events.warn),
        reference,
        distorted,
        options,
        count=options["count"],
        apart=options["apart"],
        pictures=options["pictures"],
        picture_width=options["picture_width"],
        observer=events.observer(),
    )
    if options["as_json"]:
        print_json(report)
    elif not events.on:
        click.echo("\n".join(_lines(report)))
    events.result(worst_frames=report)


def _lines(report: WorstFramesReport) -> list[str]:
    measure = report.measure
    worst = "lowest" if measure.higher_is_better else "highest"
    model = report.vmaf_model or measure.title
    lines = [f"{measure.text(report.score, '.4f')}, the mean of {report.frames} frames ({model}); the {worst}:"]
    names = list(report.worst[0].features)
    lines.append(f"   frame   seconds  {measure.title:>7}  " + "  ".join(f"{name:>10}" for name in names))
    for frame in report.worst:
        features = "  ".join(f"{frame.features[name]:10.4f}" for name in names)
        picture = f"  {shown(frame.picture)}" if frame.picture else ""
        lines.append(f"{frame.index:8d}  {frame.time_seconds:8.3f}  {frame.score:7.3f}  {features}{picture}")
    return lines

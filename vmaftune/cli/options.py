"""Options that several commands share, in the names that ab-av1 gave them where they mean the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from vmaftune.cli import complete
from vmaftune.events.stream import EventStream
from vmaftune.ffmpeg.program import program_path
from vmaftune.quality.scale import USUAL
from vmaftune.quality.targets import ANY, TARGETS, flag

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)


class _Program(click.Path):
    """A program: a bare name is for PATH, anything else that very file, which ``Path`` alone would not keep apart."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return program_path(value)


PROGRAM = _Program()


class _Number(click.ParamType):  # type: ignore[type-arg]
    """A finite number: ``float`` alone would take ``nan`` and ``inf`` too."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


NUMBER = _Number()


def _stacked(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(function: Command) -> Command:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


_CONFIG = click.option("--config", type=_FILE, metavar="FILE", help="Goes over the user's and project's files.")
_CACHE_DIR = click.option("--cache-dir", type=_FILE, metavar="DIR", help="Folder of cache and learned state.")

cache_options = _stacked(_CONFIG, _CACHE_DIR)

host_options = _stacked(
    _CONFIG,
    click.option("--ffmpeg", type=PROGRAM, metavar="FILE", help="Use this and not the embedded one."),
    click.option("--cache/--no-cache", default=None, help="Use and keep what was measured."),
    _CACHE_DIR,
)

plugin_options = _stacked(
    click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.plugin,
        help="Switch on a plugin (repeatable).",
    ),
    click.option(
        "--no-plugin",
        "no_plugins",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.plugin,
        help="Switch a plugin off (repeatable).",
    ),
    click.option(
        "--predictor",
        metavar="NAME",
        shell_complete=complete.predictor,
        help="Predictor.  [default: best for the encoder]",
    ),
    click.option(
        "--model",
        metavar="ID",
        shell_complete=complete.model,
        help="The predictor's model, or latest-stable.",
    ),
    click.option("--strict-plugins", is_flag=True, default=None, help="A failing plugin ends the run."),
)


def _stream(name: str, what: str) -> Callable[[Command], Command]:
    return click.option(name, type=click.IntRange(0), metavar="N", help=f"{what}.  [default: ffmpeg's choice]")


stream_option = _stream("--video-stream", "Video stream to take, from 0 as in ffmpeg's 0:v:N")

pair_stream_options = _stacked(stream_option, _stream("--distorted-stream", "The same, of DISTORTED"))

choice_options = _stacked(
    stream_option,
    click.option(
        "-e",
        "--encoder",
        metavar="NAME",
        shell_complete=complete.encoder,
        help="ffmpeg's name.  [default: libsvtav1]",
    ),
    click.option("--preset", metavar="NAME", shell_complete=complete.preset, help="The encoder's preset."),
    click.option("--pix-format", metavar="FMT", help="Pixel format to encode."),
    click.option("--vfilter", metavar="CHAIN", help="ffmpeg filters, for source and encode."),
    click.option("--enc", multiple=True, metavar="K=V", help="Another encoder option (repeatable)."),
    click.option("--safe", is_flag=True, default=None, help="Refuse filters and options that may name files."),
)

encode_options = _stacked(
    click.option("-i", "--input", "input_", type=_FILE, required=True, metavar="FILE", help="Source video."),
    choice_options,
)

whole_options = _stacked(
    click.option("--crf", type=NUMBER, help="Encode at this CRF, without a search."),
    click.option("--acodec", metavar="NAME", help="Encoder for audio.  [default: copy]"),
    click.option("--verify/--no-verify", default=None, help="Check every frame and time.  [default: on]"),
    click.option("--final-score", is_flag=True, default=None, help="Score the whole encode too."),
)

target_options = _stacked(
    click.option("--min-vmaf", type=NUMBER, help="VMAF to reach.  [default: 95]"),
    click.option(flag(ANY), type=NUMBER, help="Score to reach, of any --metric; where less is better, at most."),
    *(
        click.option(flag(option), type=NUMBER, help=f"As --metric {metric} --min-score.")
        for option, metric in TARGETS.items()
        if metric != USUAL.metric
    ),
)

tolerance_option = click.option(
    "--tolerance", type=NUMBER, help="How much better is good enough.  [default: 0.25 of VMAF]"
)

goal_options = _stacked(
    target_options,
    tolerance_option,
    click.option(
        "--max-encoded-percent",
        type=NUMBER,
        metavar="PERCENT",
        help="Largest encode, of the source's video.  [default: any; a larger one is warned of]",
    ),
    click.option("--max-probes", type=click.IntRange(1), metavar="N", help="Trial encodes at most.  [default: 10]"),
    click.option("--explore/--no-explore", default=None, help="Score parts first where that pays."),
)

sample_options = _stacked(
    click.option("--samples", type=click.IntRange(1), metavar="N", help="Spans to encode and score."),
    click.option("--sample-every", type=NUMBER, metavar="SECONDS", help="One sample for so long.  [default: 720]"),
    click.option("--sample-duration", type=NUMBER, metavar="SECONDS", help="Of a sample; 0: all.  [default: 20]"),
    click.option("--min-samples", type=click.IntRange(1), metavar="N", help="At least so many samples."),
)

score_options = _stacked(
    click.option("--metric", metavar="NAME", shell_complete=complete.metric, help="What is measured.  [default: vmaf]"),
    click.option(
        "--vmaf-model",
        metavar="NAME|FILE",
        shell_complete=complete.vmaf_model,
        help="VMAF model.  [default: by size]",
    ),
    click.option("--vmaf-generation", metavar="v0|v1", help="Of VMAF's models.  [default: v0]"),
    click.option("--vmaf-scale", metavar="auto|none|WxH", help="Size to compare at.  [default: auto]"),
    click.option("--vmaf-threads", type=click.IntRange(1), metavar="N", help="Of libvmaf.  [default: all processors]"),
    click.option("--pool", metavar="HOW", help="mean, harmonic_mean, min or pN (percentile)."),
)

raw_options = _stacked(
    click.option("--width", type=click.IntRange(1), help="Raw YUV: width in pixels."),
    click.option("--height", type=click.IntRange(1), help="Raw YUV: height in pixels."),
    click.option("--pix-fmt", help="Raw YUV: pixel format.  [default: yuv420p]"),
    click.option("--fps", type=NUMBER, help="Raw YUV: frame rate; does not change the score.  [default: 25]"),
)

range_options = _stacked(
    click.option("--min-crf", type=NUMBER, help="Best quality to try."),
    click.option("--max-crf", type=NUMBER, help="Coarsest quality to try."),
    click.option("--crf-increment", type=NUMBER, help="Spacing of the CRF grid.  [default: by encoder]"),
)

plot_option = click.option("--plot", type=_FILE, metavar="FILE.png|svg", help="Draw it (needs matplotlib).")

report_option = click.option("--report", type=_FILE, metavar="FILE.html", help="Write a page to look at.")


def _events(context: click.Context, parameter: click.Parameter, value: str | None) -> EventStream:
    stream = context.ensure_object(EventStream)
    stream.on = value is not None
    return stream


def not_with_events(context: click.Context, parameter: click.Parameter, value: bool) -> bool:
    """The value of ``--json``, which cannot stand beside ``--events``."""
    stream = context.params.get("events")
    if value and stream is not None and stream.on:
        raise click.UsageError("--json and --events both want standard output; choose one", context)
    return value


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=not_with_events, help="One JSON object on standard output."
)

events_option = click.option(
    "--events",
    type=click.Choice(["jsonl"]),
    is_eager=True,  # so that what is wrong with any other option is told as an event too
    callback=_events,
    help="A line of JSON for every step.",
)

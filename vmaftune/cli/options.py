"""Options that several commands share, in the names that ab-av1 gave them where they mean the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from vmaftune.cli import complete
from vmaftune.events.stream import EventStream

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)


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


_CONFIG = click.option("--config", type=_FILE, help="Configuration file, over the user's and the project's.")
_CACHE_DIR = click.option("--cache-dir", type=_FILE, help="Folder of cache and learned state.")

cache_options = _stacked(_CONFIG, _CACHE_DIR)

host_options = _stacked(
    _CONFIG,
    click.option("--ffmpeg", type=_FILE, help="ffmpeg to use instead of the embedded one."),
    click.option("--cache/--no-cache", default=None, help="Use and keep scored probes and features."),
    _CACHE_DIR,
)

plugin_options = _stacked(
    click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="NAME",
        shell_complete=complete.plugin,
        help="Switch on a correction or trainer (repeatable).",
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
        help="Predictor to use, instead of the best for the encoder.",
    ),
    click.option(
        "--model",
        metavar="ID",
        shell_complete=complete.model,
        help="Model that the predictor is to use, or latest-stable.",
    ),
    click.option("--strict-plugins", is_flag=True, default=None, help="A failing plugin ends the run."),
)

stream_option = click.option(
    "--video-stream",
    type=click.IntRange(0),
    metavar="N",
    help="Video stream to take, from 0 as in ffmpeg's 0:v:N.  [default: ffmpeg's choice]",
)

pair_stream_options = _stacked(
    stream_option,
    click.option(
        "--distorted-stream",
        type=click.IntRange(0),
        metavar="N",
        help="The same, of DISTORTED.  [default: ffmpeg's choice]",
    ),
)

choice_options = _stacked(
    stream_option,
    click.option(
        "-e",
        "--encoder",
        metavar="NAME",
        shell_complete=complete.encoder,
        help="ffmpeg's name of the encoder.  [default: libsvtav1]",
    ),
    click.option("--preset", metavar="NAME", shell_complete=complete.preset, help="The encoder's preset."),
    click.option("--pix-format", metavar="FMT", help="Pixel format to encode."),
    click.option("--vfilter", metavar="CHAIN", help="ffmpeg filters for encode and reference."),
    click.option("--enc", multiple=True, metavar="K=V", help="Further ffmpeg encode option (repeatable)."),
)

encode_options = _stacked(
    click.option("-i", "--input", "input_", type=_FILE, required=True, metavar="FILE", help="Source video."),
    choice_options,
)

whole_options = _stacked(
    click.option("--crf", type=NUMBER, help="Encode at this CRF, without a search."),
    click.option("--acodec", metavar="NAME", help="ffmpeg's name of an encoder for audio.  [default: copy]"),
    click.option(
        "--verify/--no-verify", default=None, help="Compare all frames and times with the source's.  [default: on]"
    ),
    click.option(
        "--final-score", is_flag=True, default=None, help="Measure VMAF of the whole encode, and learn from it."
    ),
)

goal_options = _stacked(
    click.option("--min-vmaf", type=NUMBER, help="VMAF to reach.  [default: 95]"),
    click.option("--tolerance", type=NUMBER, help="How far above is good enough.  [default: 0.25]"),
    click.option("--max-encoded-percent", type=NUMBER, help="Largest encode, in percent of the source's video."),
    click.option("--max-probes", type=click.IntRange(1), help="Trial encodes at most.  [default: 10]"),
    click.option("--explore/--no-explore", default=None, help="Score a part of a trial encode first where that pays."),
)

sample_options = _stacked(
    click.option("--samples", type=click.IntRange(1), help="Number of samples."),
    click.option(
        "--sample-every", type=NUMBER, metavar="SECONDS", help="A sample for each started span.  [default: 720]"
    ),
    click.option(
        "--sample-duration", type=NUMBER, metavar="SECONDS", help="Length of a sample; 0: all.  [default: 20]"
    ),
    click.option("--min-samples", type=click.IntRange(1), help="At least so many samples."),
)

score_options = _stacked(
    click.option("--vmaf-model", metavar="NAME|FILE", help="VMAF model.  [default: by size]"),
    click.option("--vmaf-scale", metavar="auto|none|WxH", help="Size at which VMAF is computed.  [default: auto]"),
    click.option("--vmaf-threads", type=click.IntRange(1), help="Threads of libvmaf.  [default: all processors]"),
    click.option("--pool", metavar="HOW", help="Of frame scores: mean, harmonic_mean, min or pN.  [default: mean]"),
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
    help="Every step as a line of JSON on standard output.",
)

"""Options that several commands share, in the names that ab-av1 gave them where they mean the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)


def _stacked(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(function: Command) -> Command:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


host_options = _stacked(
    click.option("--config", type=_FILE, help="Configuration file, over the user's and the project's."),
    click.option("--ffmpeg", type=_FILE, help="ffmpeg to use instead of the embedded one."),
    click.option("--cache/--no-cache", default=None, help="Use and keep scored probes and features."),
    click.option("--cache-dir", type=_FILE, help="Folder of cache and learned state."),
)

plugin_options = _stacked(
    click.option(
        "--plugin", "plugins", multiple=True, metavar="NAME", help="Switch on a correction or trainer (repeatable)."
    ),
    click.option("--no-plugin", "no_plugins", multiple=True, metavar="NAME", help="Switch a plugin off (repeatable)."),
    click.option("--predictor", metavar="NAME", help="Predictor to use, instead of the best for the encoder."),
    click.option("--strict-plugins", is_flag=True, default=None, help="A failing plugin ends the run."),
)

encode_options = _stacked(
    click.option("-i", "--input", "input_", type=_FILE, required=True, metavar="FILE", help="Source video."),
    click.option("-e", "--encoder", metavar="NAME", help="ffmpeg's name of the encoder.  [default: libsvtav1]"),
    click.option("--preset", metavar="NAME", help="The encoder's preset."),
    click.option("--pix-format", metavar="FMT", help="Pixel format to encode."),
    click.option("--vfilter", metavar="CHAIN", help="ffmpeg filters for encode and reference."),
    click.option("--enc", multiple=True, metavar="K=V", help="Further ffmpeg encode option (repeatable)."),
)

sample_options = _stacked(
    click.option("--samples", type=click.IntRange(1), help="Number of samples."),
    click.option(
        "--sample-every", type=float, metavar="SECONDS", help="A sample for each started span.  [default: 720]"
    ),
    click.option("--sample-duration", type=float, metavar="SECONDS", help="Length of a sample; 0: all.  [default: 20]"),
    click.option("--min-samples", type=click.IntRange(1), help="At least so many samples."),
)

score_options = _stacked(
    click.option("--vmaf-model", metavar="NAME|FILE", help="VMAF model.  [default: by size]"),
    click.option("--vmaf-scale", metavar="auto|none|WxH", help="Size at which VMAF is computed.  [default: auto]"),
    click.option("--vmaf-threads", type=click.IntRange(1), help="Threads of libvmaf.  [default: all processors]"),
    click.option("--pool", metavar="mean|harmonic_mean|min|pN", help="How frame scores become one.  [default: mean]"),
)

range_options = _stacked(
    click.option("--min-crf", type=float, help="Best quality to try."),
    click.option("--max-crf", type=float, help="Coarsest quality to try."),
    click.option("--crf-increment", type=float, help="Spacing of the CRF grid.  [default: by encoder]"),
)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")

"""Trying the user's options of an encoder on the first pictures, so that a mistyped one is found before hours of work.

x264, x265 and SVT-AV1 pass over a parameter that they do not know with a warning, and encode without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.encoders.spec import EncoderSettings, number
from vmaftune.encoding.arguments import encoded, of_one_size
from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import command
from vmaftune.ffmpeg.locate import Ffmpeg

_PICTURES = 3
_NOT_TAKEN = re.compile(
    r"Unknown option: (?P<unknown>.+?)\.?$"
    r"|Error parsing option '?(?P<key>[^ :='.]+)\s*[:=]\s*(?P<value>.*?)'?\.?$"
    r"|Invalid value for (?P<x265key>[^:]+): (?P<x265value>.*?)\.?$"
    r"|AVOption (?P<unused>\S+) \(.*has not been used for any stream"
    r"|Multiple (?P<twice>\S+) options specified for stream"
)
_WARNING = re.compile(r"^(?:\[(?P<who>\S+) @ [^\]]*\] \[warning\] |Svt\[warn\]: |x265 \[warning\]: )(?P<text>.+)$")
_OF_OTHER_STREAMS = re.compile(r"^-(?:\w+:[asdt](?::.*)?|a[a-z]|sample_fmt|(?:ch|channel)_layout)$")


def try_options(
    ffmpeg: Ffmpeg, file: Path, stream_index: int, settings: EncoderSettings, picture: tuple[int, int]
) -> list[str]:
    """Encode the first pictures of a file with the user's options (``--enc``), where there are any.

    Args:
        file, stream_index: of the source, or of a sample of it: what an encoder takes hangs on the pictures and their data too.
        picture: width and height in pixels before the user's filters.

    Returns:
        What the encoder has to say of the options, besides what it says without them.

    Raises:
        UserError: one of them is not known, its value is none, or the encoder cannot be opened with them.
    """
    if not settings.extra:
        return []
    settings = of_one_size(settings, picture)
    lines = _lines(ffmpeg, file, stream_index, settings)
    for line in lines:
        if (found := _NOT_TAKEN.search(line)) and (said := _said(found, settings)):
            raise UserError(said)
    warnings = _warnings(lines, settings)
    if not warnings:
        return []
    plain = msgspec.structs.replace(settings, extra=())
    usual = _warnings(_lines(ffmpeg, file, stream_index, plain), plain)
    return [f"{settings.spec.name} says of --enc: {text}" for text in warnings if text not in usual]


def _lines(ffmpeg: Ffmpeg, file: Path, stream_index: int, settings: EncoderSettings) -> Sequence[str]:
    low, high = settings.spec.search_range
    crf = round((low + high) / 2)
    output = encoded(file, stream_index, settings, crf, None, {"frames:v": _PICTURES})
    try:
        return process.run(ffmpeg.path, command(output, first=settings.spec.device_arguments))[1]
    except FfmpegError as error:
        given = " ".join(settings.extra)
        raise UserError(
            f"{settings.spec.name} at CRF {number(crf)} fails with the options of --enc ({given}): {error.reason}"
        ) from error


def _said(found: re.Match[str], settings: EncoderSettings) -> str | None:
    """One line for a warning that an option has no effect; None where the option is not for the encoder."""
    name = settings.spec.name
    if unused := found["unused"]:
        mine = [option for option in settings.extra if option.lstrip("-").partition(":")[0] == unused]
        if not mine or any(_OF_OTHER_STREAMS.match(option) for option in mine):
            return None
        return f"--enc {unused}: {name} has no such option and would be run without it"
    if twice := found["twice"]:
        return f"--enc sets an option that vmaf-tune sets itself ({twice}): leave it away"
    if unknown := found["unknown"]:
        return f"--enc: {name} has no parameter {unknown!r} and would be run without it"
    key, value = found["key"] or found["x265key"], found["value"] or found["x265value"]
    return f"--enc: {name} does not take the parameter {key}={value} and would be run without it"


def _warnings(lines: Sequence[str], settings: EncoderSettings) -> list[str]:
    found = (_WARNING.match(line) for line in lines)
    return [each["text"] for each in found if each and each["who"] in (settings.spec.name, None)]

"""What the containers of full encodes hold."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import av.error

from vmaftune.errors import FfmpegError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import Output, command, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.opened import open_media
from vmaftune.state.workspace import workspace

CONTAINERS = {".mkv": "matroska", ".webm": "webm", ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov"}
"""Suffixes a full encode can have, and ffmpeg's names of their formats."""


# Stream #0:1[0x2](und): Data: bin_data (gpmd / 0x646D7067), 0 kb/s
_DESCRIBED = re.compile(r"Stream #0:(\d+)[^:]*: \w+: [^,]*\((\w{4}) / 0x")


class Held:
    """Answers what the streams of one source are, and whether a container holds one.

    Args:
        reading: ffmpeg's input options that the source needs.
    """

    def __init__(self, ffmpeg: Ffmpeg, source: Path, reading: Mapping[str, str]) -> None:
        self._ffmpeg, self._source, self._reading = ffmpeg, source, reading

    def by(self, container: str, stream: Any, codec: str) -> bool:
        """Whether ``container`` holds ``stream``: by its codec's name, else by what ffmpeg does when it is to copy it."""
        return codec in _named(container) or self._copies(container, stream.index, codec)

    def tag(self, index: int) -> str:
        """The four letters that .mp4 and .mov have for the stream's codec, which PyAV does not tell; empty where there are
        none."""
        return self._tags.get(index, "")

    @functools.cached_property
    def _tags(self) -> dict[int, str]:
        described = process.query(self._ffmpeg.path, command(inputs=[read(self._source)]))
        return {int(index): tag for index, tag in _DESCRIBED.findall(described)}

    def _copies(self, container: str, index: int, codec: str) -> bool:
        """What was copied must be of that codec when it is read: .mov takes some that nobody finds in it again."""
        with workspace() as folder:
            held = folder / "held"
            stream = read(self._source, self._reading)[str(index)]
            output = Output([stream], held, {"c": "copy", "frames": 1, "f": container})
            try:
                process.run(self._ffmpeg.path, command(output))
                with open_media(held) as opened:
                    return [codec_of(stream) for stream in opened.streams] == [codec]
            except (FfmpegError, av.error.FFmpegError):
                return False


def codec_of(stream: Any) -> str:
    """ffmpeg's name of the codec; empty where it has none."""
    if stream.type == "attachment":
        return stream.name or "file"
    context = stream.codec_context
    return "" if context is None or context.codec is None else str(context.codec.canonical_name)


def is_text(codec: str) -> bool:
    """Whether it is a codec of subtitles that are text."""
    try:
        text: Any = av.codec.codec.Properties.TEXT_SUB
        return bool(av.Codec(codec, "r").properties & text.value)
    except av.codec.codec.UnknownCodecError:
        return False


@functools.cache
def _named(container: str) -> frozenset[str]:
    """Codecs that a container has a name for."""
    with av.open("/dev/null", "w", format=container) as opened:
        names = opened.supported_codecs
    return frozenset(codec for codec in map(_canonical, names) if codec)


def _canonical(name: str) -> str | None:
    for mode in ("r", "w"):
        try:
            return av.Codec(name, mode).canonical_name
        except av.codec.codec.UnknownCodecError:
            continue
    return None

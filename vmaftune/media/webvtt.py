"""WebVTT as Matroska names it and ffmpeg does not: S_TEXT/WEBVTT, which mkvmerge writes.

Its packets are the text of a cue, like those of SubRip; the place on the screen stands beside them. ffmpeg reads them when told
that they are SubRip. Told that they are WebVTT, it looks for what WebM has in front of the text, and ends the file there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

READ_AS = "subrip"
"""What ffmpeg is told that they are."""

_NAME = b"S_TEXT/WEBVTT"
_BYTES_LOOKED_AT = 1 << 20  # the tracks stand at the beginning, before any picture


def unnamed_webvtt(source: Path, opened: Any) -> frozenset[int]:
    """Indices of the subtitles that are such.

    Args:
        opened: the source, opened by PyAV.
    """
    if "matroska" not in opened.format.name:
        return frozenset()
    nameless = [s.index for s in opened.streams if s.type == "subtitle" and _has_no_codec(s)]
    if not nameless:
        return frozenset()
    with source.open("rb") as file:
        named = file.read(_BYTES_LOOKED_AT).count(_NAME)
    return frozenset(nameless) if named == len(nameless) else frozenset()


def _has_no_codec(stream: Any) -> bool:
    return stream.codec_context is None or stream.codec_context.codec is None

"""How long the video of a file lasts, and whether the file ends before its video does.

Containers say how long the longest of their streams lasts, often audio or subtitles; and some say nothing. So the packets at
the end are read wherever the container does not keep times of each stream.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from vmaftune.errors import UserError
from vmaftune.media.opened import open_media

_SECONDS_BACK = (0.0, 15.0, 120.0, 900.0)
"""How far before the end the last packet is looked for, before all is read."""

_LAX_SHARE, _LAX_SECONDS = 0.9, 1.0
"""A video that ends before this share of what is declared, less so many seconds, is cut short in any container."""

_STRICT_SECONDS = 0.25
"""The same, in seconds, where the file's structure says that bytes are missing."""

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_TAG = re.compile(r"(\d+):(\d+):(\d+(?:\.\d*)?)")
_USUAL_RATE = Fraction(25)


class _End:
    """What was read of the end of a file, in seconds.

    Attributes:
        video: when the video ends; None where no packet with a time was found.
        any: when the last of the streams that were looked at ends.
        packets: of the video that were read.
    """

    def __init__(self) -> None:
        self.video: float | None = None
        self.any = 0.0
        self.packets = 0


def seconds_of(path: Path, name: str, container: av.container.InputContainer, stream: av.VideoStream) -> float:
    """How long the video lasts, from when its first frame is shown.

    Args:
        name: of the file, for messages.

    Raises:
        UserError: the file is cut short.
    """
    formats = set(container.format.name.split(","))
    declared = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    _check_index(path, name, stream)
    if "avi" in formats and _unindexed(stream):
        # Without an index the duration is made up from the size of the file, but the header counts the frames.
        declared = float(stream.frames / _rate(stream))
        _check_end(name, _read_end(path, stream, declared), declared, sure=False)
    if declared is not None:
        return declared
    longest = container.duration / 1e6 if container.duration else None
    begin = float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0
    if "matroska" not in formats:  # which counts from 0, also where the streams begin later
        longest = None if longest is None else longest + max(0.0, (container.start_time or 0) / 1e6)
    end = _read_end(path, stream, longest)
    if longest is not None:
        sure = "matroska" in formats and _segment_is_cut(path)
        # A subtitle may be declared to last far beyond everything else: only lost bytes make that a loss.
        expected = longest if sure else min(longest, _tagged(stream) or longest)
        if _is_early(end, expected, sure=sure):
            _check_end(name, _read_end(path, stream, longest, of_all=True), expected, sure=sure)
    if end.video is None:  # a raw stream, such as a .hevc file, has no times at all
        return float(end.packets / _rate(stream))
    return max(end.video - begin, 0.0)


def cut_short(name: str, what: str) -> UserError:
    """The error that a file ends too early; ``what`` says where."""
    return UserError(
        f"{name} is damaged or cut short: {what}; get a whole copy, or keep what there is with "
        "ffmpeg -i FILE -map 0 -c copy NEW.mkv"
    )


def _check_index(path: Path, name: str, stream: av.VideoStream) -> None:
    """Raise UserError where frames that the index knows lie behind the end of the file."""
    index = stream.index_entries
    size = path.stat().st_size
    if not len(index) or index[len(index) - 1].pos + index[len(index) - 1].size <= size:
        return
    there = sum(entry.pos + entry.size <= size for entry in index)
    raise cut_short(name, f"it holds {there} of its {len(index)} frames")


def _check_end(name: str, end: _End, declared: float, *, sure: bool) -> None:
    """Raise UserError where nothing in the file lasts as long as it says.

    Args:
        sure: the file's structure says that bytes are missing.
    """
    if _is_early(end, declared, sure=sure):
        raise cut_short(name, f"its video ends after {end.video:.1f} of {declared:.1f} s")


def _is_early(end: _End, declared: float, *, sure: bool) -> bool:
    least = declared - _STRICT_SECONDS if sure else _LAX_SHARE * declared - _LAX_SECONDS
    return end.video is not None and max(end.any, end.video) < least


def _tagged(stream: av.VideoStream) -> float | None:
    """Seconds of Matroska's DURATION tag, ``HH:MM:SS.fraction``."""
    for key, value in stream.metadata.items():
        found = _TAG.fullmatch(value) if key.upper().startswith("DURATION") else None
        if found:
            return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
    return None


def _unindexed(stream: av.VideoStream) -> bool:
    return stream.frames > 1 and len(stream.index_entries) <= 1


def _rate(stream: av.VideoStream) -> Fraction:
    return stream.average_rate or stream.guessed_rate or stream.base_rate or _USUAL_RATE


def _read_end(path: Path, stream: av.VideoStream, declared: float | None, *, of_all: bool = False) -> _End:
    """The last packets of a file, from where one of the video is among them.

    Args:
        declared: seconds that the file is thought to last; None reads all of it.
        of_all: look at all streams, not at the video alone.
    """
    places = [] if declared is None else [max(0.0, declared - back) for back in _SECONDS_BACK]
    for place in itertools.chain(places, [None]):
        end = _End()
        try:
            with open_media(path) as container:
                video = container.streams[stream.index]
                if place is not None and video.time_base is not None:
                    container.seek(int(place / video.time_base), stream=video, backward=True)
                packets = container.demux() if of_all else container.demux(video)
                _read_on(packets, stream.index, _rate(stream), end)
        except av.error.FFmpegError:
            if place is None and end.video is None:
                return end  # what cannot be read at all is told where it is decoded
            if end.video is None:
                continue
        if end.video is not None:
            return end
    return end


def _read_on(packets: Iterable[Any], index: int, rate: Fraction, end: _End) -> None:
    for packet in packets:
        if not packet.size:
            continue
        is_video = packet.stream_index == index
        end.packets += is_video
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or packet.time_base is None:
            continue
        lasts = packet.duration or (1 / rate / packet.time_base if is_video else 0)
        last = float((time + lasts) * packet.time_base)
        end.any = max(end.any, last)
        if is_video:
            end.video = last if end.video is None else max(end.video, last)


def _segment_is_cut(path: Path) -> bool:
    """Whether a Matroska file is shorter than its segment says."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.startswith(_EBML):
        return False
    place = len(_EBML)
    length, place = _vint(head, place)
    place += length or 0
    if head[place : place + len(_SEGMENT)] != _SEGMENT:
        return False
    length, place = _vint(head, place + len(_SEGMENT))
    return length is not None and place + length > path.stat().st_size


def _vint(data: bytes, place: int) -> tuple[int | None, int]:
    """A number of variable length (RFC 8794, section 4) and where it ends; None says that the size is unknown."""
    first = data[place] if place < len(data) else 0
    if not first:
        return None, place
    width = 9 - first.bit_length()
    value = int.from_bytes(data[place : place + width], "big") & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), place + width

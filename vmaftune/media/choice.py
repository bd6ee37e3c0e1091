"""Which of a file's video streams is taken: the one that ffmpeg would take, or the one that a person names.

ffmpeg's rule (``map_auto_video`` of its ffmpeg_mux_init.c) is the largest picture, with 5,000,000 pixels more for the stream
that is flagged as the default, and no attached picture. Thumbnails of one frame are passed over besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import av
import av.error
import msgspec

from vmaftune.errors import UserError
from vmaftune.media.opened import open_media

ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC
_TIMED_THUMBNAILS = 0x800  # AV_DISPOSITION_TIMED_THUMBNAILS
_DEFAULT = 0x1  # AV_DISPOSITION_DEFAULT
_PIXELS_FOR_DEFAULT = 5_000_000
_PACKETS_LOOKED_AT = 500


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The stream that is taken.

    Attributes:
        index: of the stream within the file.
        note: a line that says which, where others could have been meant; empty where there is no choice.
    """

    index: int
    note: str


def choose_video(
    path: Path, name: str, container: av.container.InputContainer, number: int | None, option: str
) -> Chosen:
    """Choose a video stream.

    Args:
        name: of the file, for messages.
        number: the one to take, counted among the video streams from 0 as in ffmpeg's ``0:v:N``; None chooses.
        option: that names the stream, for messages.

    Raises:
        UserError: there is none, or no such one.
    """
    videos = list(container.streams.video)
    if number is not None:
        return Chosen(index=_named(name, videos, number, option).index, note="")
    real = [stream for stream in videos if not is_attached(stream)]
    if not real:
        held = ", ".join(sorted({s.type for s in container.streams})) or "no stream"
        raise UserError(f"{name} has no video in it (it holds: {held})")
    if len(real) == 1:
        return Chosen(index=real[0].index, note="")
    frames = _frames(path, real)
    moving = [s for s in real if frames[s.index] > 1 and _codec(s)] or [s for s in real if _codec(s)] or real
    taken = max(moving, key=_pixels)  # of equal ones the first
    others = [
        f"{n} ({_described(s)}{', one frame' if frames[s.index] == 1 else ''})"
        for n, s in enumerate(videos)
        if s in real and s is not taken
    ]
    note = (
        f"of {len(real)} video streams, number {videos.index(taken)} ({_described(taken)}) is taken; "
        f"{option} takes another: {', '.join(others)}"
    )
    return Chosen(index=taken.index, note=note)


def is_attached(stream: av.VideoStream) -> bool:
    """Whether it is a cover or a row of thumbnails beside the video."""
    return bool(int(stream.disposition) & (ATTACHED_PICTURE | _TIMED_THUMBNAILS))


def _named(name: str, videos: Sequence[av.VideoStream], number: int, option: str) -> av.VideoStream:
    if not 0 <= number < len(videos):
        there = ", ".join(f"{n} ({_described(stream)})" for n, stream in enumerate(videos)) or "none"
        raise UserError(f"{name} has no {option} {number}; there is: {there}")
    if int(videos[number].disposition) & ATTACHED_PICTURE:
        raise UserError(f"{option} {number} of {name} is a cover picture, no video")
    return videos[number]


def _pixels(stream: av.VideoStream) -> int:
    context = stream.codec_context
    size = context.width * context.height if context is not None else 0
    return size + (_PIXELS_FOR_DEFAULT if int(stream.disposition) & _DEFAULT else 0)


def _codec(stream: av.VideoStream) -> str:
    """ffmpeg's name of the codec; empty where it knows none."""
    context = stream.codec_context
    return "" if context is None else str(context.codec.canonical_name)


def _described(stream: av.VideoStream) -> str:
    context = stream.codec_context
    return f"{_codec(stream)} {context.width}x{context.height}" if context is not None else "of an unknown codec"


def _frames(path: Path, streams: Sequence[av.VideoStream]) -> Counter[int]:
    """Frames of streams by their index, as far as has to be read to tell one from many."""
    found = Counter({stream.index: stream.frames for stream in streams})
    unknown = {stream.index for stream in streams if not stream.frames}
    if unknown:
        try:
            with open_media(path) as container:
                wanted = [container.streams[stream.index] for stream in streams]
                for read, packet in enumerate(container.demux(wanted)):
                    if packet.size and packet.stream_index in unknown:
                        found[packet.stream_index] += 1
                    if read >= _PACKETS_LOOKED_AT or all(found[index] > 1 for index in unknown):
                        break
        except av.error.FFmpegError:
            pass  # reading to the end, which comes later, says what is wrong
    return found

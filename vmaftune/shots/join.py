"""Encoded shots made into one video: their packets one after another, each frame shown when the source's is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec
import numpy as np

from vmaftune.errors import VmafTuneError
from vmaftune.escape import file_url
from vmaftune.media.opened import open_media
from vmaftune.shots.detect import TICKS_PER_SECOND
from vmaftune.shots.index import IntArray


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One shot, encoded.

    Attributes:
        path: the file; its video is its only stream.
        frames: that it has to hold.
        encoded_bytes: of its packets.
    """

    path: Path
    frames: int
    encoded_bytes: int


def read_chunk(path: Path, frames: int) -> Chunk:
    """A chunk as it was encoded.

    Raises:
        VmafTuneError: it does not hold so many frames.
    """
    ranks, size = _ranks(path)
    if len(ranks) != frames:
        raise VmafTuneError(f"a shot of {frames} frames became {len(ranks)}; use encode without --per-shot")
    return Chunk(path=path, frames=frames, encoded_bytes=size)


def join(chunks: Sequence[Chunk], ticks: IntArray, output: Path) -> None:
    """Write the chunks as one video that begins at 0.

    Packets keep their order of decoding; each is shown when its frame is, and decoded as long before as the chunk that puts
    the most frames out of order needs it, so that times of decoding rise from one chunk into the next.

    Args:
        ticks: when each frame of the whole is shown, in 1/TICKS_PER_SECOND s; shape (frames,).
        output: an .mp4 file, which holds every codec that is joined here, and such times exactly.

    Raises:
        VmafTuneError: the chunks cannot stand in one stream, or it cannot be written.
    """
    ranks = np.concatenate(
        [_ranks(chunk.path)[0] + start for chunk, start in zip(chunks, _starts(chunks), strict=True)]
    )
    shown = ticks - ticks[0]
    step = int(shown[1]) if len(shown) > 1 else 1
    delay = int((np.arange(len(ranks)) - ranks).max(initial=0))
    decoded = np.concatenate([np.arange(-delay, 0) * step, shown])
    place = itertools.count()
    try:
        with av.open(file_url(output), "w", format="mp4") as joined:
            stream: Any = None
            for chunk in chunks:
                with open_media(chunk.path) as opened:
                    video = opened.streams.video[0]
                    if stream is None:
                        stream = joined.add_stream_from_template(video, opaque=True)
                        stream.time_base = Fraction(1, TICKS_PER_SECOND)
                        if video.sample_aspect_ratio:  # AV1 and VP9 leave it to the container
                            stream.sample_aspect_ratio = video.sample_aspect_ratio
                        parameters = bytes(video.codec_context.extradata or b"")
                    elif bytes(video.codec_context.extradata or b"") != parameters:
                        raise VmafTuneError(
                            "the encoder begins shots with parameters that differ, so they cannot be joined;"
                            " use encode without --per-shot"
                        )
                    for packet in opened.demux(video):
                        if packet.size:
                            n = next(place)
                            packet.time_base = Fraction(1, TICKS_PER_SECOND)
                            packet.pts, packet.dts = int(shown[ranks[n]]), int(decoded[n])
                            packet.duration = _lasting(shown, int(ranks[n]), step)
                            packet.stream = stream
                            joined.mux(packet)
    except (av.error.FFmpegError, OSError) as error:
        raise VmafTuneError(f"cannot join the shots in {output.parent}: {error.strerror}") from error


def _starts(chunks: Sequence[Chunk]) -> list[int]:
    """Frame number of the first frame of each."""
    return [0, *itertools.accumulate(chunk.frames for chunk in chunks)][:-1]


def _ranks(path: Path) -> tuple[IntArray, int]:
    """Place in the order of showing of each packet, shape (frames,), and the bytes of all."""
    with open_media(path) as opened:
        packets = [(packet.pts, packet.size) for packet in opened.demux(video=0) if packet.size]
    times = np.array([pts for pts, _ in packets], dtype=np.int64)
    return np.argsort(np.argsort(times, kind="stable"), kind="stable"), sum(size for _, size in packets)


def _lasting(shown: IntArray, frame: int, step: int) -> int:
    return int(shown[frame + 1] - shown[frame]) if frame + 1 < len(shown) else step

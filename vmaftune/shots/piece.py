"""Pieces: files that hold the frames of a span, cut out of a source without encoding, and the filters that leave exactly those.

A piece is looked at before it is used: each of its pictures must be the source's, bit for bit. Where that cannot be had (no
key frame before the span, a codec that goes into no other file, times that do not tell the order), the source itself is read
from its beginning, which is slower and as exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec
import numpy as np

from vmaftune.errors import FfmpegError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, PASS_THROUGH, SUM_FRAMES, Output, command, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import MediaFacts
from vmaftune.media.opened import open_media
from vmaftune.media.samples import SECONDS_SOUGHT_BEFORE, Sample, container_of, packets_of, write_copy
from vmaftune.shots.detect import Frames, Shot, listed
from vmaftune.shots.index import FrameIndex, IntArray


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A span in a file.

    Attributes:
        sample: the file; its packets' sizes are those of the span alone.
        trim: filter that leaves the frames of the span.
        chain: the same, and then frames that last equally long at the source's rate, the first with its number in the source:
            encoders that look at times see the same whatever file the frames come from.
    """

    sample: Sample
    trim: str
    chain: str


class Pieces:
    """Makes the pieces of one source.

    Args:
        folder: where they are written.
    """

    def __init__(
        self, ffmpeg: Ffmpeg, path: Path, facts: MediaFacts, index: FrameIndex, frames: Frames, folder: Path
    ) -> None:
        self._ffmpeg, self._path, self._facts = ffmpeg, path, facts
        self._index, self._frames, self._folder = index, frames, folder
        self._whole: set[Shot] = set()  # spans that cannot be cut out

    @property
    def can_cut(self) -> bool:
        """Whether the packets tell which frames they are."""
        return self._index.ranks is not None and self._index.frames == self._frames.count

    def uncut(self, span: Shot) -> Piece:
        """The span, read from the source itself."""
        return self._piece(None, span, 0)

    @contextmanager
    def of(self, span: Shot) -> Iterator[Piece]:
        """The piece of a span; its file is removed afterwards."""
        path: Path | None = None
        first = 0
        if self.can_cut and span not in self._whole:
            run = self._index.run_of(span.start, span.end)
            if run is not None:
                places, first = run
                path = self._copied(places)
                if path is not None and not self._same(path, span, first):
                    path.unlink()
                    path = None
            if path is None:
                self._whole.add(span)
        try:
            yield self._piece(path, span, first if path is not None else 0)
        finally:
            if path is not None:
                path.unlink(missing_ok=True)

    def _piece(self, path: Path | None, span: Shot, first: int) -> Piece:
        rate = self._index.rate
        trim = f"trim=start_frame={span.start - first}:end_frame={span.end - first}"
        evenly = (
            f"settb={rate.denominator}/{rate.numerator},setpts=N+{span.start},fps={rate.numerator}/{rate.denominator}"
        )
        places = self._index.positions(span.start, span.end)
        sizes = tuple(self._index.sizes[places].tolist())
        sample = Sample(
            path=path or self._path,
            stream_index=self._facts.stream_index if path is None else 0,
            start_seconds=float(span.start / rate),
            source_bytes=sum(sizes),
            packet_bytes=sizes,
            keyframes=tuple(self._index.keys[places].tolist()),
        )
        return Piece(sample=sample, trim=trim, chain=f"{trim},{evenly}")

    def _copied(self, places: IntArray) -> Path | None:
        """The file of the packets at these places in decoding order; None where it cannot be made."""
        wanted = self._index.pts[places].tolist()
        try:
            with open_media(self._path) as container:
                kind = container_of(container, self._facts)
                stream = container.streams[self._facts.stream_index]
                assert stream.time_base is not None
                begin = int(wanted[0])
                before = int(SECONDS_SOUGHT_BEFORE / stream.time_base) if kind.joined_anywhere else 0
                packets: list[Any] = []
                if begin - before > (stream.start_time or 0):
                    container.seek(begin - before, stream=stream, backward=True)
                    packets = _matching(packets_of(container, self._facts), wanted, 1 if kind.joined_anywhere else 0)
                if not packets:
                    container.seek(0, backward=True)
                    packets = _matching(packets_of(container, self._facts), wanted, 0)
                if not packets:
                    return None
                return write_copy(packets, stream, kind.formats, self._folder / "piece")
        except (av.error.FFmpegError, OSError):
            return None

    def _same(self, path: Path, span: Shot, first: int) -> bool:
        """Whether the pictures are those of the source."""
        listing = path.with_suffix(".sums")
        chain = f"scale={self._facts.width}:{self._facts.height},"
        chain += f"trim=start_frame={span.start - first}:end_frame={span.end - first}"
        output = Output([read(path, KEEP_FILTERS)["0"]], listing, {"vf": chain} | PASS_THROUGH | SUM_FRAMES)
        try:
            process.run(self._ffmpeg.path, command(output))
            found = [int(line[5], 16) for line in listed(listing)]
        except FfmpegError:
            return False
        finally:
            listing.unlink(missing_ok=True)
        return np.array_equal(found, self._frames.checksums[span.start : span.end])


def _matching(packets: Iterator[Any], wanted: list[int], broken: int) -> list[Any]:
    """The packets with these times, which come in this order and begin with a key frame; empty where they do not."""
    taken: list[Any] = []
    times = set(wanted)
    for packet in islice(packets, broken, None):
        if not taken and not (packet.pts == wanted[0] and packet.is_keyframe):
            continue
        if packet.pts in times and not packet.is_discard:
            taken.append(packet)
            if len(taken) == len(wanted):
                return taken if [p.pts for p in taken] == wanted else []
    return []

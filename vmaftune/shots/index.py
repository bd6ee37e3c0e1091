"""The packets of a source's video, and which frame each of them is: frame numbers, not times, say where a shot lies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt

from vmaftune.errors import UserError
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.media.opened import open_media
from vmaftune.media.samples import packets_of

_RATES_DIFFER = 0.02  # by more than this, the rate that a container declares is not that of its frames
_USUAL_RATE = Fraction(25)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """Packets that are shown, in decoding order; all arrays of shape (frames,).

    Attributes:
        pts: times at which they are shown, in the stream's time base.
        keys: whether each is a key frame.
        sizes: in bytes.
        ranks: place of each in the order of showing, which is its frame number; None where times do not tell it.
        rate: frames per second.
    """

    pts: IntArray
    keys: npt.NDArray[np.bool_]
    sizes: IntArray
    ranks: IntArray | None
    rate: Fraction

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.sizes)

    def positions(self, start: int, end: int) -> IntArray:
        """Places in decoding order of the packets of frames ``start`` to ``end - 1``."""
        if self.ranks is None:
            return np.arange(start, min(end, self.frames))
        return np.flatnonzero((self.ranks >= start) & (self.ranks < end))

    def run_of(self, start: int, end: int) -> tuple[IntArray, int] | None:
        """The packets that a decoder needs to show frames ``start`` to ``end - 1``.

        They begin with the last key frame at or before ``start``, without the leading pictures of an open GOP, which need
        frames before it, and end where all frames before ``end`` are there; some after it may be among them.

        Returns:
            Their places in decoding order, the key frame first, and its frame number; None where no key frame comes before.
        """
        if self.ranks is None:
            return None
        begins = np.flatnonzero(self.keys & (self.ranks <= start))
        if not len(begins):
            return None
        first = int(begins[np.argmax(self.ranks[begins])])
        key = int(self.ranks[first])
        last = int(self.positions(key, end).max())
        places = np.arange(first, last + 1)
        return places[self.ranks[places] >= key], key


def read_index(path: Path, facts: MediaFacts) -> FrameIndex:
    """Read all packets of the video of ``path``, without decoding them.

    Raises:
        UserError: it cannot be read.
    """
    pts: list[int | None] = []
    keys: list[bool] = []
    sizes: list[int] = []
    try:
        with open_media(path) as container:
            stream = container.streams[facts.stream_index]
            rate = _rate(stream.average_rate, stream.guessed_rate)
            for packet in packets_of(container, facts):
                if not packet.is_discard:
                    pts.append(packet.pts)
                    keys.append(bool(packet.is_keyframe))
                    sizes.append(packet.size)
    except av.error.FFmpegError as error:
        raise UserError(f"{shown(path)} cannot be read to its end: {error.strerror}; is it complete?") from error
    times = np.array([0 if time is None else time for time in pts], dtype=np.int64)
    told = None not in pts and len(np.unique(times)) == len(times)
    ranks = np.argsort(np.argsort(times, kind="stable"), kind="stable").astype(np.int64) if told else None
    return FrameIndex(
        pts=times,
        keys=np.array(keys, dtype=bool),
        sizes=np.array(sizes, dtype=np.int64),
        ranks=ranks,
        rate=rate,
    )


def _rate(average: Fraction | None, declared: Fraction | None) -> Fraction:
    """The declared rate where frames keep it, else their mean rate: a varying rate is often declared as a multiple of it."""
    if not average:
        return declared or _USUAL_RATE
    if declared and abs(declared / average - 1) < _RATES_DIFFER:
        return declared
    return average

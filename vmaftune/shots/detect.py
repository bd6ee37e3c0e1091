"""Where shots begin: one pass over all frames, which also takes down when each is shown and what is in it.

ffmpeg's scdet compares successive frames (the idea of Kikukawa and Kawafuchi, 1992): the mean absolute difference of luma,
less what it already was one frame before, so that a moving camera is no cut.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from vmaftune.encoding.arguments import TIMES, read_beside
from vmaftune.errors import FfmpegError, UserError, VmafTuneError
from vmaftune.escape import filter_value
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, LIST_FRAMES, PASS_THROUGH, SUM_FRAMES, Output, command, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import MediaFacts, shown

DETECT_VERSION = 2
"""Raised whenever a pass would find something else; part of its cache key."""

TICKS_PER_SECOND = 360_000
"""Of the times, as vmaftune.encoding.arguments.TIMES sets them."""

CUT_SCORE = 10.0
"""scdet's score from which a frame begins a shot; its own default."""

_WIDTH = 320
_SCORE = re.compile(r"lavfi\.scd\.score=(\S+)")


class Frames(msgspec.Struct, frozen=True, kw_only=True):
    """All frames of a source, in the order of showing.

    Attributes:
        ticks_bytes: when each is shown, int64.
        checksums_bytes: Adler-32 of each picture as decoded, uint32.
        scores_bytes: scdet's score of each, 0 to 100, float32.
    """

    ticks_bytes: bytes
    checksums_bytes: bytes
    scores_bytes: bytes

    def __post_init__(self) -> None:
        if not len(self.ticks_bytes) == 8 * self.count == 2 * len(self.checksums_bytes) == 2 * len(self.scores_bytes):
            raise ValueError("the columns differ in length")

    @property
    def count(self) -> int:
        """How many."""
        return len(self.ticks_bytes) // 8

    @property
    def ticks(self) -> npt.NDArray[np.int64]:
        """When each is shown, in 1/TICKS_PER_SECOND s; shape (frames,)."""
        return np.frombuffer(self.ticks_bytes, "<i8").astype(np.int64)

    @property
    def checksums(self) -> npt.NDArray[np.uint32]:
        """Of each picture; shape (frames,)."""
        return np.frombuffer(self.checksums_bytes, "<u4").astype(np.uint32)

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """How much each differs from the one before; shape (frames,)."""
        return np.frombuffer(self.scores_bytes, "<f4").astype(np.float32)


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """Successive frames, from number ``start``, the first of the source being 0."""

    start: int
    frames: int

    @property
    def end(self) -> int:
        """Number of the first frame after it."""
        return self.start + self.frames

    def middle(self, most: int) -> Shot:
        """At most so many frames from its middle."""
        frames = min(self.frames, most)
        return Shot(start=self.start + (self.frames - frames) // 2, frames=frames)


def look(
    ffmpeg: Ffmpeg,
    path: Path,
    facts: MediaFacts,
    folder: Path,
    on_progress: Callable[[int], None],
    beside: Sequence[int] = (),
) -> Frames:
    """Decode a source once.

    Args:
        beside: streams that the full encode has besides the video; times begin where they begin for all of them together.
        on_progress: called with the number of frames done.

    Raises:
        UserError: it cannot be decoded.
    """
    sums, times, scores = folder / "sums.txt", folder / "times.txt", folder / "scores.txt"
    same = f"scale={facts.width}:{facts.height}"
    differ = f"scale={_WIDTH}:-2,scdet=threshold={CUT_SCORE:g}"
    report = f"metadata=mode=print:file={filter_value(str(scores.absolute()))}"
    source = read(path, KEEP_FILTERS)
    video = [source[str(facts.stream_index)]]
    chain = f"{same},{TIMES},{differ},{report}"
    arguments = command(
        Output(video, sums, {"vf": same} | PASS_THROUGH | SUM_FRAMES),
        Output(video, times, {"vf": chain, "enc_time_base": "filter"} | PASS_THROUGH | LIST_FRAMES),
        *read_beside(*(source[str(index)] for index in beside)),
    )
    try:
        process.run(ffmpeg.path, arguments, on_progress=on_progress)
    except FfmpegError as error:
        raise UserError(f"{shown(path)} cannot be decoded: {error.reason}") from error
    ticks = np.array([line[2] for line in listed(times)], dtype="<i8")
    checksums = np.array([int(line[5], 16) for line in listed(sums)], dtype="<u4")
    found = np.array(_SCORE.findall(scores.read_text("ascii", "replace")), dtype="<f4")
    if not len(ticks) == len(checksums) == len(found) or (np.diff(ticks.astype(np.int64)) <= 0).any():
        raise VmafTuneError(f"the frames of {shown(path)} have no order that holds; use encode without --per-shot")
    return Frames(ticks_bytes=ticks.tobytes(), checksums_bytes=checksums.tobytes(), scores_bytes=found.tobytes())


def listed(framecrc: Path) -> list[list[str]]:
    """Fields of the lines of a framecrc listing: stream, dts, pts, duration, size, checksum."""
    lines = framecrc.read_text("ascii").splitlines()
    return [[field.strip() for field in line.split(",")] for line in lines if not line.startswith("#")]


def shots_of(frames: Frames, least: int) -> list[Shot]:
    """The shots, each of at least ``least`` frames (or the whole, where that is shorter).

    Cuts are taken from the clearest to the faintest; one too near to another, or to an end, is passed over.
    """
    scores = frames.scores
    cuts = [0, frames.count]
    for place in np.argsort(-scores, kind="stable").tolist():
        if scores[place] < CUT_SCORE:
            break
        if min(abs(place - cut) for cut in cuts) >= least:
            cuts.append(place)
    cuts.sort()
    return [Shot(start=a, frames=b - a) for a, b in itertools.pairwise(cuts)]

"""The part of a source's frames that an exploring probe scores, and what it says of the whole.

Single frames, evenly spread, each read together with those beside it that the metric needs: libvmaf's motion feature compares a
frame with its neighbours, so each gets exactly the score that it has in the whole. The period has no factor in common with 2, 3
or 5:
encoders spend more on one frame in 2, 4, 8, 16 or 32, and converted film repeats one in 5 or two in 5; a period in step with
such a rhythm would meet the same places of it again and again (measured: wrong by up to 0.5 VMAF and more). Frame 0 stands
apart, because it is the one without a frame before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from vmaftune.contract.curves import FloatArray
from vmaftune.quality.compare import Selection

POOLS = ("mean", "harmonic_mean")
"""Pools that a part can say something of: those that are a mean of something."""

EXPECTED_DEVIATION_VMAF = 0.15
"""What deviation() is taken to give before anything was scored. In 88 scorings of 48 curves (x264 medium, SVT-AV1 8) parts were
wrong by 0.08 in the median and 0.25 rms; within a tolerance of 0.25 lay as many as if all were off by this much."""

_LEAST_PERIOD = 7
_IN_STEP = 2 * 3 * 5
_FEWEST_SCORED = 8
_FEWEST_SCORED_OF_A_SAMPLE = 2
_MOST_SCORED = 100
_READING_COST = 0.1  # of scaling a frame and computing its motion; scoring one is 1 (measured: 0.05 to 0.2)
_LEAST_DEVIATION_VMAF = 0.08
# Below 1: much of the difference between neighbours is the encoder's rhythm, which an uneven period meets evenly. Measured in
# the same scorings: 0.4 makes the errors one deviation rms.
_CAUTION = 0.5


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Frame 0 of each sample, and one frame in each period.

    Attributes:
        period: frames from one that is scored to the next.
        offset: the first that is scored after frame 0; so far on that no frame is read twice.
        before, after: how many frames before and after one are read with it.
    """

    period: int
    offset: int
    before: int = 1
    after: int = 1

    @property
    def identity(self) -> str:
        """Fit for a cache key; neighbours follow from the metric and change no score."""
        return f"{self.period}-{self.offset}"

    @property
    def read(self) -> int:
        """Frames read for each that is scored."""
        return self.before + 1 + self.after

    def scored(self, frames: int) -> int:
        """Frames scored of a sample of ``frames`` frames besides frame 0: those with all neighbours."""
        return max(0, (frames - 1 - self.after - self.offset) // self.period + 1)

    def indices(self, frames: int) -> npt.NDArray[np.int64]:
        """Frames scored of a sample of ``frames`` frames, rising; shape (1 + scored,)."""
        spread = self.offset + self.period * np.arange(self.scored(frames), dtype=np.int64)
        return np.concatenate([np.zeros(1, dtype=np.int64), spread])

    def selection(self, frames: int) -> Selection:
        """The same frames with their neighbours, for ffmpeg: of each so many that are read the first is scored.

        That is frame 0 with those after it and then, from the first neighbour of the first frame that is spread, so many in
        each period; so the first group ends with the last frame before a scored one, and every group after it does too.
        """
        scored, first = self.scored(frames), self.offset - self.before
        spread = f"between(n,{first},{first + self.period * scored - 1})*lt(mod(n-{first},{self.period}),{self.read})"
        beginning = 1 + self.after
        return Selection(
            expression=f"lt(n,{beginning})+{spread}", frames=beginning + self.read * scored, every=self.read
        )

    def cost(self, frames: Sequence[int]) -> float:
        """Time to score this part of samples of ``frames`` frames each, as a share of scoring all; 0 to 1."""
        scored = sum(1 + self.scored(count) for count in frames)
        return min(1.0, scored * (1 + (self.read - 1) * _READING_COST) / sum(frames))


def plan_part(frames: Sequence[int], neighbours: tuple[int, int] = (1, 1)) -> Part | None:
    """The part of samples of ``frames`` frames each, sparser the more there are; None where they are too few.

    Args:
        neighbours: frames before and after one that are read with it, as of Metric.neighbours.
    """
    part, (before, after) = None, neighbours
    for period in range(_LEAST_PERIOD, max(frames) + 1, 2):
        if math.gcd(period, _IN_STEP) > 1 or period // 2 - before <= after:
            continue
        sparser = Part(period=period, offset=period // 2, before=before, after=after)
        scored = [sparser.scored(count) for count in frames]
        if sum(scored) < _FEWEST_SCORED or min(scored) < _FEWEST_SCORED_OF_A_SAMPLE:
            break
        part = sparser
        if sum(scored) <= _MOST_SCORED:
            break
    return part


def estimate(scores: Sequence[FloatArray], frames: Sequence[int], pool: str) -> float:
    """Score of the whole, pooled over all frames of all samples, expected by the scores of a part.

    Args:
        scores: of the frames scored of each sample, in the order of Part.indices.
        frames: of each sample, in whole.
        pool: one of POOLS.
    """
    total = 0.0
    for of_sample, count in zip(scores, frames, strict=True):
        terms = _terms(of_sample, pool)
        total += float(terms[0] + (count - 1) * terms[1:].mean())
    mean = total / sum(frames)
    return mean if pool == "mean" else 1.0 / mean - 1.0


def deviation(scores: Sequence[FloatArray], pool: str, grain: float = 1.0) -> float:
    """Standard deviation by which estimate() is expected to be off.

    From the differences between successive frames of the part, as for any systematic sample (Wolter, "Introduction to
    Variance Estimation", 2007, ch. 8): what rises or falls slowly over a sample is met evenly and says nothing of the error.

    Args:
        scores, pool: as in estimate.
        grain: of the metric.
    """
    spread = [_terms(of_sample, pool)[1:] for of_sample in scores]
    count = sum(len(terms) for terms in spread)
    squares = sum(float(np.sum(np.diff(terms) ** 2)) for terms in spread)
    error = math.sqrt(squares / (2 * (count - len(spread))) / count)
    if pool == "harmonic_mean":  # of the mean of 1 / (v + 1), by which v changes by -1 / mean^2
        error /= float(np.concatenate(spread).mean()) ** 2
    return max(_LEAST_DEVIATION_VMAF * grain, _CAUTION * error)


def _terms(scores: FloatArray, pool: str) -> FloatArray:
    """What the pool takes the mean of; shape as ``scores``."""
    return scores if pool == "mean" else 1.0 / (scores + 1.0)

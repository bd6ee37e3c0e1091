"""What is believed of one shot: score and size at each CRF, from its features, and exactly where it was encoded."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vmaftune.contract.curves import FloatArray, Prediction
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import Features
from vmaftune.contract.positions import crf_positions
from vmaftune.crf_search.posterior import Posterior
from vmaftune.crf_search.prior import squared_exponential
from vmaftune.features.measure import Measured
from vmaftune.features.pilot import pilot_plan
from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.shots.detect import Shot

PART_DEVIATION_VMAF = 1.0
"""Standard deviation by which the score of 64 frames from the middle of a long shot is off, in VMAF or as much of another
metric."""

_MISSED_VMAF, _MISSED_LENGTH = 2.0, 0.2
"""What predictors leave unsaid of a shot: they learned from longer samples, which are more alike. Standard deviation, and the
share of the search range over which it stays the same; measured: docs/per-shot.md."""

_PILOT_CRFS = {"x264": (24.0, 32.0), "av1": (30.0, 48.0)}
_USUAL_SLOPE = {"x264": -1 / 6, "av1": -1 / 11}  # log2 of the size per CRF


class ShotModel:
    """One shot.

    Args:
        measured: its features.
        prediction: its curve, as predicted.
        crfs: the grid, shape (n,), from the best quality to the coarsest.
        pixels: of a frame.
        measure: of the scores.
    """

    def __init__(
        self,
        shot: Shot,
        measured: Measured,
        prediction: Prediction,
        encoder: EncoderSpec,
        crfs: FloatArray,
        pixels: int,
        measure: Measure = USUAL_MEASURE,
    ) -> None:
        self.shot, self.measured, self._measure = shot, measured, measure
        missed = (_MISSED_VMAF * measure.grain) ** 2 * squared_exponential(crf_positions(encoder, crfs), _MISSED_LENGTH)
        self._curve = Posterior(
            Prediction(mean=prediction.mean, covariance=prediction.covariance + missed), measure.grain
        )
        self._crfs = crfs
        self._line = _line(measured.features, encoder, crfs) + math.log2(pixels / 8)
        self._residuals: dict[int, float] = {}
        self._exact = False

    @property
    def encoded(self) -> bool:
        """Whether anything of it was encoded."""
        return bool(self._residuals)

    @property
    def scores(self) -> FloatArray:
        """Score at each CRF, falling, shape (n,)."""
        return self._measure.clipped(np.minimum.accumulate(self._curve.mean))

    def deviation(self, place: int) -> float:
        """Standard deviation of the score at one place of the grid."""
        return float(self._curve.deviation()[place])

    def sizes(self, elsewhere: float) -> FloatArray:
        """Bytes at each CRF, falling, shape (n,).

        Args:
            elsewhere: how far sizes of other shots are from what their pilots predict, in log2; what is taken for
                this shot's, where nothing of it was encoded.
        """
        log2 = self._line + elsewhere
        if self._residuals:
            places = sorted(self._residuals)
            log2 = self._line + np.interp(self._crfs, self._crfs[places], [self._residuals[n] for n in places])
        return np.minimum.accumulate(np.exp2(log2)) * self.shot.frames

    @property
    def residual(self) -> float:
        """How far measured sizes are from the pilots', in log2, in the mean."""
        return float(np.mean(list(self._residuals.values())))

    def part_deviation(self, frames: int) -> float:
        """Standard deviation by which the score of so many frames from the middle is off."""
        return PART_DEVIATION_VMAF * self._measure.grain * math.sqrt(max(0.0, 1.0 - frames / self.shot.frames))

    def take_part(self, place: int, score: float, encoded_bytes: int, frames: int) -> None:
        """Take in what some frames of it came to."""
        self._curve.explore(place, score, self.part_deviation(frames))
        self._take_size(place, encoded_bytes, frames)

    def take_whole(self, place: int, score: float, encoded_bytes: int) -> None:
        """Take in what all frames of it came to."""
        if not self._exact:  # sizes of a part no longer count
            self._residuals.clear()
            self._exact = True
        elif place in self._residuals:
            return
        self._curve.condition(place, score)
        self._take_size(place, encoded_bytes, self.shot.frames)

    def _take_size(self, place: int, encoded_bytes: int, frames: int) -> None:
        self._residuals[place] = math.log2(max(1, encoded_bytes) / frames) - float(self._line[place])


def elsewhere(models: Sequence[ShotModel]) -> float:
    """The mean over shots of how far measured sizes are from the pilots', in log2; 0 where there is none."""
    found = [model.residual for model in models if model.encoded]
    return float(np.mean(found)) if found else 0.0


def _line(features: Features, encoder: EncoderSpec, crfs: FloatArray) -> FloatArray:
    """log2 of bits per pixel at each CRF, shape (n,): it is about linear in CRF, and the pilots are two points of the line."""
    family = pilot_plan(encoder.pilot_family).family
    at = _PILOT_CRFS[family]
    fine, coarse = (features[f"pilot_log2_bits_per_pixel_{place}"] for place in ("fine", "coarse"))
    slope, level = (coarse - fine) / (at[1] - at[0]), fine
    if not math.isfinite(slope + level):
        slope, level = _USUAL_SLOPE[family], -3.0
    slope = min(slope, _USUAL_SLOPE[family] / 4)
    return level + slope * encoder.crfs_per_pilot_crf * (crfs - at[0])

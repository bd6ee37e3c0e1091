"""What is believed of one curve: a Gaussian over the CRF grid, conditioned on every score."""

from __future__ import annotations

import math

import numpy as np

from vmaftune.contract.curves import FloatArray, Prediction

SCORE_NOISE_VMAF = 0.04
"""Standard deviation by which scores of neighbouring CRFs scatter about a smooth curve: measured on ten clips with x264
and SVT-AV1 (79 triples of scores within half a CRF)."""

PART_NOISE_VMAF = 0.06
"""Standard deviation by which the score of a part of the frames is off besides the offset that it has at every CRF."""


class Posterior:
    """Mean and covariance of the score over the grid.

    Conditioning is the linear-Gaussian update (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006,
    eq. 2.22 to 2.24), one score at a time, which gives the same result in any order.

    A part of the frames scores higher or lower than the whole by nearly the same at every CRF. That offset is one more
    unknown beside the curve, which exploring scores contain and verified ones do not; so after one of each it is known.

    Args:
        prior: what is believed before any score.
        grain: of the metric (vmaftune.quality.metric): how much of its score is as much as one VMAF.
    """

    def __init__(self, prior: Prediction, grain: float = 1.0) -> None:
        # The offset stands last. Its variance comes with the first score of a part; until then it is as good as not there.
        self._mean: FloatArray = np.append(prior.mean, 0.0)
        self._covariance: FloatArray = np.pad(prior.covariance, (0, 1))
        self._explored = False
        self._noise = (SCORE_NOISE_VMAF * grain) ** 2
        self._noise_of_a_part = self._noise + (PART_NOISE_VMAF * grain) ** 2

    @property
    def mean(self) -> FloatArray:
        """Score of the whole at each CRF, shape (n,)."""
        return self._mean[:-1]

    @property
    def covariance(self) -> FloatArray:
        """Of the score of the whole over the grid, shape (n, n), in its unit squared."""
        return self._covariance[:-1, :-1]

    def condition(self, index: int, score: float) -> None:
        """Take in the verified score at one place of the grid."""
        self._take_in([index], score, self._noise)

    def explore(self, index: int, score: float, deviation: float) -> None:
        """Take in the score of a part at one place of the grid.

        Args:
            deviation: standard deviation of the part's offset; that of the first score counts for all.
        """
        self._covariance[-1, -1] = self._offset_variance(deviation)
        self._explored = True
        self._take_in([index, -1], score, self._noise_of_a_part)

    def deviation(self) -> FloatArray:
        """Standard deviation at each CRF, score noise included; shape (n,)."""
        return np.sqrt(np.clip(self.covariance.diagonal(), 0.0, None) + self._noise)

    def deviation_after_exploring(self, index: int, deviation: float) -> float:
        """What deviation() will be at one place once a part was scored there, whatever its score: that is known before.

        Args:
            deviation: as in explore.
        """
        curve, shared = self._covariance[index, index], self._covariance[index, -1]
        seen = curve + 2.0 * shared + self._offset_variance(deviation) + self._noise_of_a_part
        left = curve - (curve + shared) ** 2 / seen
        return math.sqrt(max(0.0, float(left)) + self._noise)

    def probability_between(self, low: float, high: float) -> FloatArray:
        """Probability that a score at each CRF lies in [low, high]; shape (n,)."""
        deviation = self.deviation()
        return _normal_cdf((high - self.mean) / deviation) - _normal_cdf((low - self.mean) / deviation)

    def probability_below(self, score: float) -> FloatArray:
        """Probability that a score at each CRF is below ``score``; shape (n,)."""
        return _normal_cdf((score - self.mean) / self.deviation())

    def _offset_variance(self, deviation: float) -> float:
        return float(self._covariance[-1, -1]) if self._explored else deviation**2

    def _take_in(self, places: list[int], score: float, noise_variance: float) -> None:
        """Condition on a score of what stands at ``places``, added up."""
        column = self._covariance[:, places].sum(axis=1)
        gain = column / (column[places].sum() + noise_variance)
        self._mean = self._mean + gain * (score - self._mean[places].sum())
        self._covariance = self._covariance - np.outer(gain, column)


def _normal_cdf(z: FloatArray) -> FloatArray:
    return np.array([0.5 * (1.0 + math.erf(v)) for v in (z / math.sqrt(2.0)).tolist()])

"""What is believed of one curve: a Gaussian over the CRF grid, conditioned on every score."""

from __future__ import annotations

import math

import numpy as np

from vmaftune.types import FloatArray, Prediction

SCORE_NOISE_VMAF = 0.04
"""Standard deviation by which scores of neighbouring CRFs scatter about a smooth curve: measured on ten clips with x264
and SVT-AV1 (79 triples of scores within half a CRF)."""


class Posterior:
    """Mean and covariance of VMAF over the grid.

    Conditioning is the linear-Gaussian update (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006,
    eq. 2.22 to 2.24), one score at a time, which gives the same result in any order.

    Attributes:
        mean: VMAF, shape (n,).
        covariance: VMAF squared, shape (n, n).
    """

    def __init__(self, prior: Prediction) -> None:
        self.mean: FloatArray = prior.mean.copy()
        self.covariance: FloatArray = prior.covariance.copy()

    def condition(self, index: int, vmaf: float) -> None:
        """Take in the score at one place of the grid."""
        column = self.covariance[:, index].copy()
        gain = column / (column[index] + SCORE_NOISE_VMAF**2)
        self.mean = self.mean + gain * (vmaf - self.mean[index])
        self.covariance = self.covariance - np.outer(gain, column)

    def deviation(self) -> FloatArray:
        """Standard deviation in VMAF at each CRF, score noise included; shape (n,)."""
        return np.sqrt(np.clip(self.covariance.diagonal(), 0.0, None) + SCORE_NOISE_VMAF**2)

    def probability_between(self, low: float, high: float) -> FloatArray:
        """Probability that a score at each CRF lies in [low, high]; shape (n,)."""
        deviation = self.deviation()
        return _normal_cdf((high - self.mean) / deviation) - _normal_cdf((low - self.mean) / deviation)

    def probability_below(self, vmaf: float) -> FloatArray:
        """Probability that a score at each CRF is below ``vmaf``; shape (n,)."""
        return _normal_cdf((vmaf - self.mean) / self.deviation())


def _normal_cdf(z: FloatArray) -> FloatArray:
    return np.array([0.5 * (1.0 + math.erf(v)) for v in (z / math.sqrt(2.0)).tolist()])

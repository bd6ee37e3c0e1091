"""How far the mean curve may be off: a covariance over the knots, made from errors on sources that were left out.

An error has a spread that depends on the distance to VMAF's ceiling, a factor for each encoder and preset, and a correlation
between knots. All three are read off leave-one-source-out errors.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.training.table import KNOTS, Table

COVERAGE = 0.90
_Z = 1.6448536
_OF_INTEREST = (80.0, 98.0)
_FLOOR_VMAF = 0.25
_LOCAL_SHARE = 0.08
_LOCAL_LENGTH = 0.12
_LEVELS = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 13.0, 18.0, 25.0, 40.0, 101.0])
_LEAST_IN_LEVEL = 40
_LEAST_MOMENT = 1e-6


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """Parameters of the covariance.

    Attributes:
        lacking: distances of VMAF to 100 at which the spread is given, shape (levels,).
        spread: standard deviation of the error there in VMAF, shape (levels,).
        scale: factor of each kind of curve, shape (curves,).
        correlation: of errors between knots for each kind of curve, shape (curves, KNOTS, KNOTS).
    """

    lacking: FloatArray
    spread: FloatArray
    scale: FloatArray
    correlation: FloatArray

    def deviation(self, mean: FloatArray, which: np.ndarray) -> FloatArray:
        """Standard deviation at the knots, shape of ``mean`` (n, KNOTS)."""
        deviation: FloatArray = self.scale[which][:, None] * np.interp(100.0 - mean, self.lacking, self.spread)
        return deviation

    def covariance(self, mean: FloatArray, curve: int) -> FloatArray:
        """Of one curve with knots ``mean``, shape (KNOTS, KNOTS)."""
        deviation = self.deviation(mean[None], np.array([curve]))[0]
        covariance: FloatArray = np.outer(deviation, deviation) * self.correlation[curve]
        return covariance


def fit_uncertainty(table: Table, mean: FloatArray) -> Uncertainty:
    """Read it off the errors of held-out predictions.

    Args:
        mean: held-out curves, shape (n, KNOTS).
    """
    error = table.vmaf - mean
    lacking, spread = _spread(100.0 - mean, error, table.measured)
    standard = error / np.interp(100.0 - mean, lacking, spread)
    scale = np.ones(len(table.curves))
    correlation = np.zeros((len(table.curves), KNOTS, KNOTS))
    encoders = [curve.encoder for curve in table.curves]
    interesting = (table.vmaf >= _OF_INTEREST[0]) & (table.vmaf <= _OF_INTEREST[1]) & table.measured
    for place, curve in enumerate(table.curves):
        # Presets of one encoder err alike, and each has few sources.
        mine = np.isin(table.which, [n for n, e in enumerate(encoders) if e == curve.encoder])
        own = table.which == place
        correlation[place] = _correlation(standard[mine])
        inside = np.abs(standard[own][interesting[own]])
        scale[place] = max(float(np.quantile(inside, COVERAGE)) / _Z, 0.3) if len(inside) else 1.0
    return Uncertainty(lacking=lacking, spread=spread, scale=scale, correlation=correlation)


def _spread(lacking: FloatArray, error: FloatArray, measured: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Spread of the error by distance to the ceiling: where a curve is said to be at it, it may be far from it.

    Returns:
        Rising distances from -1 to 101, and the spreads there.
    """
    centres, spreads = [], []
    for low, high in itertools.pairwise(_LEVELS):
        inside = measured & (lacking >= low) & (lacking < high)
        if inside.sum() >= _LEAST_IN_LEVEL:
            centres.append(float(lacking[inside].mean()))
            spreads.append(_width(error[inside]))
    if not centres:
        centres, spreads = [50.0], [_width(error[measured])]
    return np.array([-1.0, *centres, 101.0]), np.array([spreads[0], *spreads, spreads[-1]])


def _width(error: FloatArray) -> float:
    """Standard deviation of the normal distribution that has this quantile: few errors are far larger than the others."""
    return max(float(np.quantile(np.abs(error), COVERAGE)) / _Z, _FLOOR_VMAF)


def _correlation(standard: FloatArray) -> FloatArray:
    """Correlation of errors between knots, with a share that is local, so that a score tells most of its own neighbourhood."""
    bounded = np.clip(standard, -3.0, 3.0)
    moments = bounded.T @ bounded / len(bounded)
    # Where there was no error at all, such as at a CRF that is without loss for all, knots do not depend on each other.
    deviation = np.sqrt(np.maximum(moments.diagonal(), _LEAST_MOMENT))
    empirical = moments / np.outer(deviation, deviation)
    np.fill_diagonal(empirical, 1.0)
    at = np.linspace(0.0, 1.0, KNOTS)
    local = np.exp(-0.5 * ((at[:, None] - at[None, :]) / _LOCAL_LENGTH) ** 2)
    correlation: FloatArray = (1.0 - _LOCAL_SHARE) * empirical + _LOCAL_SHARE * local
    return correlation

"""Estimates that a few wrong captures hardly move."""

from __future__ import annotations

import numpy as np

from vmaftune.contract import FloatArray

_DEGREES = 5.0  # of freedom of Student's t


def student_weights(z: FloatArray) -> FloatArray:
    """Weights of Student's t: near 1 about 0, falling as 1 / z^2 far out (Lange, Little and Taylor, 1989).

    Args:
        z: deviations in units of their standard deviation.
    """
    return np.minimum(1.0, (_DEGREES + 1.0) / (_DEGREES + z**2))


def weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """The value at which half of the weight is reached. At least one weight is above 0."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])

"""What plugins answer, held to what their contract says before anything rests on it."""

from __future__ import annotations

import math

import numpy as np

from vmaftune.contract.curves import Adjustment, CurveContext, FloatArray, Prediction
from vmaftune.quality.metric import Metric

LARGEST_SHIFT = 40.0
"""A correction of more than this, in differences as large as one VMAF, is a fault, not knowledge."""

_BEYOND_LIMITS = 5.0  # grains by which a mean may lie outside of what the scale's scores can be

_NEGATIVE_VARIANCE_TOLERATED = 1e-6
_ASYMMETRY_TOLERATED = 1e-6  # of the largest value


def checked_prediction(prediction: Prediction, asked: CurveContext, metric: Metric) -> Prediction:
    """The prediction, if it is a curve over the grid that was asked for. Raises ValueError where it is none."""
    mean, n = np.asarray(prediction.mean, float), len(asked.crfs)
    if mean.shape != (n,):
        raise ValueError(f"it predicted a curve of shape {mean.shape}, not {(n,)}")
    if not np.isfinite(mean).all():
        raise ValueError("it predicted a value that is no number")
    low, high = metric.limits(asked.scale.model)
    beyond = _BEYOND_LIMITS * metric.grain
    if mean.min() < low - beyond or mean.max() > high + beyond:
        raise ValueError(f"it predicted {metric.title} from {mean.min():.1f} to {mean.max():.1f}")
    return Prediction(mean=mean, covariance=_checked_covariance(prediction.covariance, n), note=prediction.note)


def _checked_covariance(given: FloatArray, n: int) -> FloatArray:
    covariance = np.asarray(given, float)
    if covariance.shape != (n, n):
        raise ValueError(f"its covariance has shape {covariance.shape}, not {(n, n)}")
    if not np.isfinite(covariance).all():
        raise ValueError("its covariance has a value that is no number")
    if (
        np.abs(covariance - covariance.T).max(initial=0.0)
        > _ASYMMETRY_TOLERATED * (1.0 + np.abs(covariance).max(initial=0.0))
        or covariance.diagonal().min(initial=0.0) < -_NEGATIVE_VARIANCE_TOLERATED
    ):
        raise ValueError("its covariance is not symmetric with a diagonal of variances")
    return covariance


def checked_adjustment(adjustment: Adjustment, n: int, most: float) -> Adjustment:
    """The adjustment, if it is one of a grid of ``n`` CRFs by at most ``most``. Raises ValueError where it is none."""
    shift = np.asarray(adjustment.shift, float)
    if shift.shape != (n,):
        raise ValueError(f"its correction has shape {shift.shape}, not {(n,)}")
    largest = float(np.abs(shift).max(initial=0.0))
    if not math.isfinite(largest):
        raise ValueError("its correction has a value that is no number")
    if largest > most:
        raise ValueError(f"its correction of {largest:.1f} is beyond the {most:.0f} that can be believed")
    covariance = None if adjustment.covariance is None else _checked_covariance(adjustment.covariance, n)
    return Adjustment(shift=shift, captures=adjustment.captures, covariance=covariance, note=adjustment.note)

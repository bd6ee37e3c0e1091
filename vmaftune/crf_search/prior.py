"""The prior where no predictor knows anything: any curve that gets worse is about as likely as any other."""

from __future__ import annotations

import numpy as np

from vmaftune.contract.curves import CurveContext, FloatArray, Prediction
from vmaftune.contract.positions import crf_positions
from vmaftune.quality.metric import Metric
from vmaftune.quality.vmaf import VMAF

LENGTH = 0.6
"""Over how much of an encoder's search range curves go their own way (of a squared exponential)."""

_SPREAD_AT_BEST, _SPREAD_AT_COARSEST, _SPREAD_OF = 4.0, 20.0, 43.0


def uninformed(context: CurveContext, note: str, metric: Metric = VMAF) -> Prediction:
    """A curve that gets worse ever faster over the metric's usual range, whatever its direction.

    Of VMAF, it falls from 98 to 55 and is known to about 4 at the best end and 20 at the other; of another metric, to the same
    shares of its range.
    """
    at = crf_positions(context.encoder, context.crfs)
    best, coarsest = metric.usual_range
    mean = best - (best - coarsest) * np.clip(at, 0, None) ** 1.7
    spread = _SPREAD_AT_BEST + (_SPREAD_AT_COARSEST - _SPREAD_AT_BEST) * np.clip(at, 0, 1)
    spread = spread * (abs(best - coarsest) / _SPREAD_OF)
    covariance = np.outer(spread, spread) * squared_exponential(at, LENGTH)
    return Prediction(mean=np.clip(mean, *metric.limits(context.scale.model)), covariance=covariance, note=note)


def squared_exponential(at: FloatArray, length: float) -> FloatArray:
    """Correlation of a smooth function between places, shape (n, n) (Rasmussen and Williams, 2006, eq. 4.9)."""
    distance = (at[:, None] - at[None, :]) / length
    return np.exp(-0.5 * distance**2)

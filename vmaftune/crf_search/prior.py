"""The prior where no predictor knows anything: any falling curve is about as likely as any other."""

from __future__ import annotations

import numpy as np

from vmaftune.contract.curves import CurveContext, FloatArray, Prediction
from vmaftune.contract.positions import crf_positions

_BEST, _COARSEST = 98.0, 55.0
_LENGTH = 0.6
_SPREAD_AT_BEST, _SPREAD_AT_COARSEST = 4.0, 20.0


def uninformed(context: CurveContext, note: str) -> Prediction:
    """A curve that falls ever faster from 98 to 55 VMAF, known to about 4 VMAF at the best end and 20 at the other."""
    at = crf_positions(context.encoder, context.crfs)
    mean = _BEST - (_BEST - _COARSEST) * np.clip(at, 0, None) ** 1.7
    spread = _SPREAD_AT_BEST + (_SPREAD_AT_COARSEST - _SPREAD_AT_BEST) * np.clip(at, 0, 1)
    covariance = np.outer(spread, spread) * squared_exponential(at, _LENGTH)
    return Prediction(mean=np.clip(mean, 0.0, 100.0), covariance=covariance, note=note)


def squared_exponential(at: FloatArray, length: float) -> FloatArray:
    """Correlation of a smooth function between places, shape (n, n) (Rasmussen and Williams, 2006, eq. 4.9)."""
    distance = (at[:, None] - at[None, :]) / length
    return np.exp(-0.5 * distance**2)

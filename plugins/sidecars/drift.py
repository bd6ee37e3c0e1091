"""Whether a correction still fits what it is applied to: the rolling residual that it left, against what was to be expected.

Expected is what the predictor says of itself: each capture brings the standard deviation of its prediction, which comes from
the errors on held-out sources that stand on the model's card. A rolling root mean square of residual over deviation is 1 on
content like that of the card, whatever the encoder and the CRF (ADR-0394's follow-up).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from vmaftune_plugins.sidecars.history import HistoryRow

Status = Literal["learning", "healthy", "drifting", "stale"]

STALE_SECONDS = 180 * 86400.0
_LARGEST_RATIO = 5.0  # one absurd score is no drift


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """State of what was learned.

    Attributes:
        status: ``learning`` while the window is not half full, ``stale`` half a year after the last capture, ``drifting`` where
            ``ratio`` is over the threshold, else ``healthy``.
        ratio: rms of residual after correction over deviation in the window; None while there is none.
        rms_before, rms_after: of the residuals in the window, in grains (history.py).
        window: captures in it.
    """

    status: Status
    ratio: float | None
    rms_before: float | None
    rms_after: float | None
    window: int


def health(history: Sequence[HistoryRow], window: int, threshold: float, now: float | None = None) -> Health:
    """Judge the last captures.

    Args:
        window: how many count.
        threshold: ratio from which on it is drift.
        now: Unix time in seconds; None reads the clock.
    """
    last = [row for row in history if not row.absurd][-window:]
    if not last:
        return Health(status="learning", ratio=None, rms_before=None, rms_after=None, window=0)
    left, before = np.array([row.left for row in last]), np.array([row.residual for row in last])
    standard = np.clip(left / [row.deviation for row in last], -_LARGEST_RATIO, _LARGEST_RATIO)
    ratio = math.sqrt(float(np.mean(standard**2)))
    status: Status = "healthy"
    if (time.time() if now is None else now) - last[-1].timestamp > STALE_SECONDS:
        status = "stale"
    elif len(last) < window / 2:
        status = "learning"
    elif ratio > threshold:
        status = "drifting"
    return Health(
        status=status,
        ratio=ratio,
        rms_before=math.sqrt(float(np.mean(before**2))),
        rms_after=math.sqrt(float(np.mean(left**2))),
        window=len(last),
    )

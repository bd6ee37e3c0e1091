"""The axis of scores: from a round value beyond the worst that matters to the best there is, or a round one before it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vmaftune.quality.measure import Measure
from vmaftune.report.scale import Axis, round_step

_STEP_VMAF, _ROOM_VMAF, _NEAR_BEST_VMAF = 5.0, 2.0, 60.0


def worse_than(measure: Measure, score: float, by_vmaf: float) -> float:
    """A round score that is worse by at least so much, in VMAF or as much of another metric; the worst there is at most."""
    return _rounded(measure, measure.off(score, -by_vmaf * measure.grain), -1.0)


def score_axis(measure: Measure, worst: float, scores: Iterable[float]) -> Axis:
    """The axis of a chart.

    Args:
        worst: at which it ends.
        scores: that stand on it. An axis ends at the best score that there is, unless all of them are far from that.
    """
    best = max(scores, key=lambda score: measure.sign * score, default=worst)
    end = measure.best
    if abs(end - best) > _NEAR_BEST_VMAF * measure.grain:
        end = _rounded(measure, measure.off(best, _ROOM_VMAF * measure.grain), 1.0)
    if end == worst:
        end = measure.off(worst, _STEP_VMAF * measure.grain)
    return Axis(low=min(worst, end), high=max(worst, end), label=measure.label)


def _rounded(measure: Measure, score: float, to_better: float) -> float:
    step = round_step(_STEP_VMAF * measure.grain)
    rounded = math.ceil(score / step) if to_better * measure.sign > 0 else math.floor(score / step)
    return min(measure.highest, max(measure.lowest, step * rounded))

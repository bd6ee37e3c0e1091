"""The rules that searches are measured against: plain bisection, and ab-av1's.

Each is a function from a scoring function to the CRFs it asks for, so that all rules run on the same probes.
"""

from __future__ import annotations

from collections.abc import Callable

from vmaftune.contract import FloatArray

Score = Callable[[int], float]
"""VMAF at a place of the grid."""


def bisection(grid: FloatArray, score: Score, target: float, tolerance: float) -> int | None:
    """Halve the grid until a score is within tolerance or neighbours enclose the target; the place, or None."""
    low, high, best = 0, len(grid) - 1, None
    while low <= high:
        middle = (low + high) // 2
        vmaf = score(middle)
        if vmaf >= target:
            best = middle
            if vmaf <= target + tolerance:
                return best
            low = middle + 1
        else:
            high = middle - 1
    return best


def ab_av1(grid: FloatArray, score: Score, target: float, step: float) -> int | None:
    """ab-av1's rule (0.11): the middle; then 40/60 of the way to the failing side's end; then linear interpolation between
    the two nearest scores. A score above the target by less than max(0.1, step * 0.1 * 2^(probe - 1)) is accepted.
    """
    last = len(grid) - 1
    scores: dict[int, float] = {}
    place, probe = last // 2, 0
    while True:
        probe += 1
        scores[place] = vmaf = score(place)
        passed = vmaf > target
        if passed and vmaf < target + max(0.1, min(step, 1.0) * 0.1 * 2 ** (probe - 1)):
            return place
        beyond = [p for p in scores if (p > place if passed else p < place)]
        end = last if passed else 0
        if beyond:
            other = min(beyond) if passed else max(beyond)
            if abs(other - place) == 1:
                return place if passed else other
            place = _between(target, place, other, scores)
        elif place == end:
            return place if passed else None
        elif probe == 1 and abs(end - place) > 1:
            place = round(place * 0.4 + end * 0.6)
        else:
            place = end


def _between(target: float, a: int, b: int, scores: dict[int, float]) -> int:
    low, high = sorted((a, b))
    share = (scores[low] - target) / (scores[low] - scores[high]) if scores[low] != scores[high] else 0.5
    return min(high - 1, max(low + 1, round(low + share * (high - low))))

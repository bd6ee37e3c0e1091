"""One CRF for each shot: the least bytes for a mean score.

Lagrange multipliers over discrete choices (Everett, "Generalized Lagrange multiplier method for solving problems of optimum
allocation of resources", Operations Research, 1963; for video, Shoham and Gersho, IEEE ASSP, 1988): at one price of quality
each shot takes what is cheapest for it alone, and what comes out is, for the quality that it has, the smallest there is. The
price is found by bisection. What it leaves above the target, because choices are discrete, is then given back where that
saves most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vmaftune.contract.curves import FloatArray

Choice = npt.NDArray[np.int64]
"""Place in the CRF grid for each shot, shape (shots,)."""

_BISECTIONS = 60
_DEAREST = 1e15
_AT_LEAST = 1e-9  # a mean this far below the target is the target


def allocate(sizes: FloatArray, scores: FloatArray, frames: FloatArray, target: float, floor: float) -> Choice | None:
    """The choice for each shot, or None where no choice reaches the target.

    Args:
        sizes: bytes of each shot at each CRF, shape (shots, n), by falling quality.
        scores: mean score of each, shape (shots, n).
        frames: of each shot, shape (shots,).
        target: mean score over all frames.
        floor: score that no shot may be below, where one of its CRFs reaches it.
    """
    weights = frames / frames.sum()
    allowed = scores >= floor
    allowed[~allowed.any(axis=1), 0] = True
    best = finest(np.where(allowed, scores, -np.inf))
    if mean_of(best, scores, weights) < target - _AT_LEAST:
        return None

    def at(price: float) -> Choice:
        costs = np.where(allowed, sizes - price * frames[:, None] * scores, np.inf)
        return np.asarray(costs.argmin(axis=1), dtype=np.int64)

    low, high, found = 0.0, 1.0, best
    while high < _DEAREST:
        if mean_of(at(high), scores, weights) >= target - _AT_LEAST:
            found = at(high)
            break
        low, high = high, high * 4.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        choice = at(middle)
        if mean_of(choice, scores, weights) >= target - _AT_LEAST:
            high, found = middle, choice
        else:
            low = middle
    return _spent(found, sizes, scores, weights, target, allowed)


def finest(scores: FloatArray) -> Choice:
    """The choice of the best score for each shot; ``scores`` of shape (shots, n)."""
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def mean_of(choice: Choice, scores: FloatArray, weights: FloatArray) -> float:
    """Mean score over all frames; ``weights`` are the shots' shares of them."""
    return float((np.take_along_axis(scores, choice[:, None], axis=1)[:, 0] * weights).sum())


def keep_most(
    old: Choice, new: Choice, scores: FloatArray, weights: FloatArray, between: tuple[float, float], steps: int
) -> Choice:
    """``new``, but with ``old`` for shots that were to move by ``steps`` places or less, as far as the mean allows it.

    The size hardly changes by such a move, as it is the smallest there is, and an encode is saved.

    Args:
        between: where the mean score has to lie; ``new`` is taken to be within.
    """
    kept: Choice = new.copy()
    for shot in np.argsort(np.abs(new - old), kind="stable").tolist():
        if abs(int(new[shot] - old[shot])) > steps:
            break
        moved, kept[shot] = kept[shot], old[shot]
        if not between[0] <= mean_of(kept, scores, weights) <= between[1]:
            kept[shot] = moved
    return kept


def _spent(
    choice: Choice,
    sizes: FloatArray,
    scores: FloatArray,
    weights: FloatArray,
    target: float,
    allowed: npt.NDArray[np.bool_],
) -> Choice:
    """The choice with single shots made smaller, the one that saves most first, for as long as the mean allows it."""
    choice, rows = choice.copy(), np.arange(len(choice))
    for _ in rows:
        spare = mean_of(choice, scores, weights) - target + _AT_LEAST
        lost = (scores[rows, choice][:, None] - scores) * weights[:, None]
        saved = np.where(allowed & (lost <= spare), sizes[rows, choice][:, None] - sizes, 0.0)
        shot, place = np.unravel_index(int(saved.argmax()), saved.shape)
        if saved[shot, place] <= 0.0:
            break
        choice[shot] = place
    return choice

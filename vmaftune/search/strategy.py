"""Where to probe next, and when to stop. Pure decisions on what is known; nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.search.posterior import Posterior

SURE = 0.95
"""Posterior probability at which the next coarser CRF counts as known to miss; it is stated in the result."""

_PATIENT_PROBES = 4
_LIKELY = 0.5
_PATIENT_UNBOUNDED = 3
_NEAR_VMAF = 1.0


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is searched for.

    Attributes:
        target, tolerance: a verified VMAF in [target, target + tolerance] ends the search at once.
        max_probes: encodes that may be made at most (cached ones do not count).
    """

    target: float
    tolerance: float
    max_probes: int = 10


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Probe this place of the grid next.

    Attributes:
        index: into the grid.
        probability: that its score lies within tolerance.
    """

    index: int
    probability: float


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The search is over.

    Attributes:
        reason: one of REASONS.
        index: of the result in the grid; of the CRF that came closest where ``met`` is False.
        met: the verified score at ``index`` reaches the target.
        probability: that the next coarser CRF misses, where the reason is a probability.
    """

    reason: str
    index: int
    met: bool
    probability: float | None = None


REASONS = {
    "within-tolerance": "the verified score is within tolerance of the target",
    "next-crf-misses": "the next coarser CRF was measured and misses the target",
    "next-crf-unlikely": "the next coarser CRF misses the target with the probability given",
    "coarsest-crf": "the coarsest CRF allowed still reaches the target",
    "probe-limit": "the limit of probes was reached",
    "unreachable": "even the best CRF allowed misses the target",
    "too-large": "every CRF that reaches the target gives an encode larger than allowed",
}


def decide(
    posterior: Posterior,
    scores: Mapping[int, float],
    goal: Goal,
    probes_made: int,
    allowed: Sequence[int] | None = None,
) -> Probe | Stop:
    """The next step of a search.

    Args:
        posterior: conditioned on every score known, those at places that are not allowed too.
        scores: measured VMAF by place in the grid, whoever measured it; allowed places only.
        probes_made: encodes made so far in this search.
        allowed: places that may be probed and be the result, rising; None allows the whole grid.
    """
    places = list(range(len(posterior.mean))) if allowed is None else list(allowed)
    passing = [i for i, vmaf in scores.items() if vmaf >= goal.target]
    good = max(passing, default=-1)
    # Curves need not be monotone: a failure on the finer side of a success does not bound anything.
    bad = min((i for i, vmaf in scores.items() if vmaf < goal.target and i > good), default=places[-1] + 1)
    between = [i for i in places if good < i < bad]
    stop = _stop(posterior, scores, goal, probes_made, good, between, places)
    bounded = good >= 0 and bad <= places[-1]
    return stop if stop is not None else _next(posterior, scores, goal, probes_made, between, bounded)


def _stop(
    posterior: Posterior,
    scores: Mapping[int, float],
    goal: Goal,
    probes_made: int,
    good: int,
    between: Sequence[int],
    places: Sequence[int],
) -> Stop | None:
    if good >= 0:
        if scores[good] <= goal.target + goal.tolerance:
            return Stop(reason="within-tolerance", index=good, met=True)
        if good == places[-1]:
            return Stop(reason="coarsest-crf", index=good, met=True)
        if not between:
            return Stop(reason="next-crf-misses", index=good, met=True)
        misses = float(posterior.probability_below(goal.target)[between[0]])
        if misses >= SURE:
            return Stop(reason="next-crf-unlikely", index=good, met=True, probability=misses)
    elif not between:
        return Stop(reason="unreachable", index=_best(scores), met=False)
    if probes_made >= goal.max_probes:
        return Stop(reason="probe-limit", index=good if good >= 0 else _best(scores), met=good >= 0)
    return None


def _next(
    posterior: Posterior,
    scores: Mapping[int, float],
    goal: Goal,
    probes_made: int,
    between: Sequence[int],
    bounded: bool,
) -> Probe:
    """A CRF between the bounds: the likeliest to lie within tolerance once one is likely, else where the mean says."""
    candidates = np.array(between)
    within = posterior.probability_between(goal.target, goal.target + goal.tolerance)
    if bounded and probes_made > _PATIENT_PROBES and probes_made % 2:
        # The curve is not like those the prior was made from: halve what is left every second time.
        index = int(candidates[len(candidates) // 2])
    elif not bounded and probes_made >= _PATIENT_UNBOUNDED and (far := _secant(scores, goal)) is not None:
        # Every score lies on one side and the posterior creeps: go where the last two point, past it if they fall ever faster.
        index = int(candidates[np.argmin(np.abs(candidates - np.clip(far, candidates[0], candidates[-1])))])
    elif within[candidates].max() >= _LIKELY:
        index = int(candidates[np.argmax(within[candidates])])
    else:
        # Not the likeliest place: where the prior is narrow (near VMAF's ceiling) that would be one that tells nothing.
        centre = goal.target + goal.tolerance / 2
        index = int(candidates[np.argmin(np.abs(posterior.mean - centre)[candidates])])
    return Probe(index=index, probability=float(within[index]))


def _secant(scores: Mapping[int, float], goal: Goal) -> float | None:
    """Where the line through the two scores nearest to the open side meets the target; None when one is near enough."""
    passing = bool(max(scores.values()) >= goal.target)
    last, before = sorted(scores, reverse=passing)[:2]
    gap = scores[last] - goal.target
    if abs(gap) < _NEAR_VMAF:
        return None
    slope = (scores[last] - scores[before]) / (last - before)
    far = float("inf") if passing else float("-inf")
    return last - gap / slope if slope < -1e-6 else far


def _best(scores: Mapping[int, float]) -> int:
    return max(scores, key=lambda i: scores[i])

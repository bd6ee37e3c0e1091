"""Where to probe next, and when to stop. Pure decisions on what is known; nothing is run here."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.crf_search.part import EXPECTED_DEVIATION_VMAF
from vmaftune.crf_search.posterior import Posterior

SURE = 0.95
"""Posterior probability at which the next coarser CRF counts as known to miss; it is stated in the result."""

_PATIENT_PROBES = 4
_LIKELY = 0.5
_PATIENT_UNBOUNDED = 3
_NEAR_VMAF = 1.0
_MOST_EXPLORATIONS = 2


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is searched for.

    Attributes:
        target, tolerance: a verified score in [target, target + tolerance] ends the search at once.
        max_probes: encodes that may be made at most, verifying and exploring (cached ones do not count).
        grain: of the metric: how much of its score is as much as one VMAF.
    """

    target: float
    tolerance: float
    max_probes: int = 10
    grain: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Probe this place of the grid next.

    Attributes:
        index: into the grid.
        probability: that its verified score lies within tolerance.
        explore: score only a part of the frames, to see where to verify.
    """

    index: int
    probability: float
    explore: bool = False


@dataclass(frozen=True, kw_only=True)
class Exploring:
    """What exploring costs, and how much of it there was.

    Attributes:
        share: time of an exploring probe as a share of a verifying one's, reckoned and not measured, so that a search takes
            the same steps on every host.
        made: exploring probes made in this search.
        places: explored ones of the grid, whoever explored them.
    """

    share: float
    made: int = 0
    places: Collection[int] = ()


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
    exploring: Exploring | None = None,
) -> Probe | Stop:
    """The next step of a search.

    Args:
        posterior: conditioned on every score known, those at places that are not allowed too.
        scores: verified score by place in the grid, whoever measured it; allowed places only.
        probes_made: encodes made so far in this search, verifying and exploring.
        allowed: places that may be probed and be the result, rising; None allows the whole grid.
        exploring: None where nothing can be explored.
    """
    places = list(range(len(posterior.mean))) if allowed is None else list(allowed)
    passing = [i for i, score in scores.items() if score >= goal.target]
    good = max(passing, default=-1)
    # Curves need not be monotone: a failure on the finer side of a success does not bound anything.
    bad = min((i for i, score in scores.items() if score < goal.target and i > good), default=places[-1] + 1)
    between = [i for i in places if good < i < bad]
    stop = _stop(posterior, scores, goal, probes_made, good, between, places)
    bounded = good >= 0 and bad <= places[-1]
    if stop is not None:
        return stop
    if exploring is not None and not scores and (probe := _explored(posterior, goal, probes_made, places, exploring)):
        return probe
    verified = probes_made - (0 if exploring is None else exploring.made)
    return _next(posterior, scores, goal, verified, between, bounded)


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


def _explored(
    posterior: Posterior, goal: Goal, probes_made: int, places: Sequence[int], exploring: Exploring
) -> Probe | None:
    """An exploring probe where the curve is expected to meet the target, if it makes a hit likelier by more than it costs.

    The value of information one step ahead: how likely a hit is with the verifying probe that could be made now, and with the
    one that could be made after exploring. Exploring tells where the curve is, not how it goes on, so then the best CRF will
    have a mean in the middle of the tolerance, or as near to it as the grid comes.
    """
    if exploring.made >= _MOST_EXPLORATIONS or probes_made + 2 > goal.max_probes or len(places) < 2:
        return None
    candidates = np.array(places)
    mean, centre = posterior.mean[candidates], goal.target + goal.tolerance / 2
    place = int(np.argmin(np.abs(mean - centre)))
    index = places[place]
    if index in exploring.places or not mean.min() <= centre <= mean.max():
        return None
    within = posterior.probability_between(goal.target, goal.target + goal.tolerance)
    known = posterior.deviation_after_exploring(index, EXPECTED_DEVIATION_VMAF * goal.grain)
    then = math.erf(goal.tolerance / 2 / known / math.sqrt(2.0))
    falls = abs(float(np.gradient(mean)[place]))
    if falls > goal.tolerance:  # from one CRF to the next the curve may step over the tolerance
        then = min(then, goal.tolerance / falls)
    if then - float(within[candidates].max()) <= exploring.share:
        return None
    return Probe(index=index, probability=float(within[index]), explore=True)


def _next(
    posterior: Posterior,
    scores: Mapping[int, float],
    goal: Goal,
    probes_made: int,
    between: Sequence[int],
    bounded: bool,
) -> Probe:
    """A CRF between the bounds: the likeliest to lie within tolerance once one is likely, else where the mean says.

    Args:
        probes_made: verifying ones.
    """
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
        # Not the likeliest place: where the prior is narrow (near the metric's ceiling) that would be one that tells nothing.
        centre = goal.target + goal.tolerance / 2
        index = int(candidates[np.argmin(np.abs(posterior.mean - centre)[candidates])])
    return Probe(index=index, probability=float(within[index]))


def _secant(scores: Mapping[int, float], goal: Goal) -> float | None:
    """Where the line through the two scores nearest to the open side meets the target; None when one is near enough."""
    passing = bool(max(scores.values()) >= goal.target)
    last, before = sorted(scores, reverse=passing)[:2]
    gap = scores[last] - goal.target
    if abs(gap) < _NEAR_VMAF * goal.grain:
        return None
    slope = (scores[last] - scores[before]) / (last - before)
    far = float("inf") if passing else float("-inf")
    return last - gap / slope if slope < -1e-6 else far


def _best(scores: Mapping[int, float]) -> int:
    return max(scores, key=lambda i: scores[i])

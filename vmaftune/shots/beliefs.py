"""What is believed of all shots of a source together, what CRF for each follows from it, and what each encode teaches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.crf_search.strategy import Goal
from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.shots.allocate import Choice, allocate, finest, keep_most, mean_of
from vmaftune.shots.model import ShotModel, elsewhere

_HARDLY_MOVED_CRF = 1.0
_TELLING_VMAF = 0.3
"""A change of the whole's score, in VMAF or as much of another metric, from which on it says how steep curves are."""


class Beliefs:
    """The shots of one source.

    Args:
        crfs: the grid, shape (n,), from the best quality to the coarsest.
        goal: mean score over all frames that is asked for.
        floor: score that no shot is to be below.
        measure: of the scores; more is better.

    Attributes:
        weights: share of each shot in all frames, shape (shots,).
    """

    def __init__(
        self,
        models: Sequence[ShotModel],
        crfs: FloatArray,
        goal: Goal,
        floor: float,
        measure: Measure = USUAL_MEASURE,
    ) -> None:
        self._models, self._crfs, self._goal, self._floor = models, crfs, goal, floor
        self._measure = measure
        self._frames = np.array([model.shot.frames for model in models], dtype=float)
        self.weights: FloatArray = self._frames / self._frames.sum()
        self._known: list[set[int]] = [set() for _ in models]  # places of the grid at which each shot was encoded whole
        self._steepness = 1.0

    def sizes(self) -> FloatArray:
        """Bytes of each shot at each CRF, shape (shots, n)."""
        other = elsewhere(self._models)
        return np.array([model.sizes(other) for model in self._models])

    def scores(self) -> FloatArray:
        """Score of each shot at each CRF, shape (shots, n): as its model has it, but beyond what was encoded of it as much
        steeper or flatter as shots have turned out to be."""
        scores = np.array([model.scores for model in self._models])
        for curve, known in zip(scores, self._known, strict=True):
            if known:
                least, most = min(known), max(known)
                curve[:least] = curve[least] + self._steepness * (curve[:least] - curve[least])
                curve[most:] = curve[most] + self._steepness * (curve[most:] - curve[most])
        return np.asarray(self._measure.clipped(scores), dtype=float)

    def mean_scores(self) -> FloatArray:
        """Score of the whole at each CRF for all shots, shape (n,)."""
        return np.asarray((self.scores() * self.weights[:, None]).sum(axis=0), dtype=float)

    def mean_crf(self, choice: Choice) -> float:
        """Over all frames."""
        return round(float((self._crfs[choice] * self.weights).sum()), 4)

    def allocated(self) -> Choice:
        """The CRF for each shot at which the whole is smallest in the middle of what is asked for."""
        centre = self._goal.target + self._goal.tolerance / 2
        choice = allocate(self.sizes(), self.scores(), self._frames, centre, self._floor)
        return finest(self.scores()) if choice is None else choice

    def is_finest(self, choice: Choice) -> bool:
        """Whether no shot can be better."""
        return bool((choice <= finest(self.scores())).all())

    def moved(self, old: Choice) -> Choice:
        """The choice that follows ``old``, without the moves that hardly matter."""
        quarter, step = self._goal.tolerance / 4, float(np.diff(self._crfs).max(initial=1e-9))
        between = (self._goal.target + quarter, self._goal.target + 3 * quarter)
        steps = int(_HARDLY_MOVED_CRF / step)
        return keep_most(old, self.allocated(), self.scores(), self.weights, between, steps)

    def nudged(self, old: Choice) -> Choice:
        """``old`` with one shot after another moved to the next CRF until the whole is in the middle of what is asked for: such
        moves come out as believed, whatever else is left to be saved."""
        centre, scores = self._goal.target + self._goal.tolerance / 2, self.scores()
        too_low = mean_of(old, scores, self.weights) < centre
        choice: Choice = old.copy()
        last = len(self._crfs) - 1
        for n in [*range(len(old))] * last:
            if (mean_of(choice, scores, self.weights) < centre) != too_low:
                break
            choice[n] = min(last, max(0, choice[n] + (-1 if too_low else 1)))
        return choice

    def saved(self, old: Choice, new: Choice) -> float:
        """Share of the bytes that ``new`` is believed to save."""
        sizes, rows = self.sizes(), np.arange(len(old))
        return float(1.0 - sizes[rows, new].sum() / sizes[rows, old].sum())

    def unsure(self, choice: Choice) -> FloatArray:
        """Standard deviation that each shot leaves to the score of the whole, shape (shots,)."""
        return np.array([m.deviation(int(c)) for m, c in zip(self._models, choice, strict=True)]) * self.weights

    def take_probe(self, n: int, place: int, score: float, encoded_bytes: int, frames: int) -> None:
        """Take in a probe of one shot, or of so many frames of it."""
        model = self._models[n]
        if frames < model.shot.frames:
            model.take_part(place, score, encoded_bytes, frames)
        else:
            model.take_whole(place, score, encoded_bytes)
            self._known[n].add(place)

    def take_round(self, choice: Choice, scores: FloatArray, encoded_bytes: Sequence[int]) -> None:
        """Take in what an encode of the whole came to for each shot; arrays of shape (shots,)."""
        self._learn_steepness(choice, scores)
        for n, (model, place) in enumerate(zip(self._models, choice.tolist(), strict=True)):
            model.take_whole(place, float(scores[n]), encoded_bytes[n])
            self._known[n].add(place)

    def _learn_steepness(self, choice: Choice, measured: FloatArray) -> None:
        """Shots of one film err alike: where a predictor finds one too steep, it finds the others so."""
        hoped = came = 0.0
        for n, (curve, known, place) in enumerate(zip(self.scores(), self._known, choice.tolist(), strict=True)):
            if known and not min(known) <= place <= max(known):
                before = curve[min(known) if place < min(known) else max(known)]
                hoped += self.weights[n] * (curve[place] - before)
                came += self.weights[n] * (measured[n] - before)
        if abs(hoped) > _TELLING_VMAF * self._measure.grain:
            # The root, because each model learns a part of it by itself.
            self._steepness *= math.sqrt(min(4.0, max(0.1, came / hoped)))

"""What captures say of other sources, each source once.

Scores of one source miss the prediction together: its whole curve lies higher or lower. Ten scores of a source therefore say
little more of OTHER sources than one does. The captures of a source and preset come down to at most three numbers here, of how
its level, its slope and its curvature in CRF lie: generalised least squares over its captures (Rasmussen and Williams,
"Gaussian Processes for Machine Learning", 2006, eq. 2.38), in coordinates in which these three are independent. How its scores
scatter about such a curve is left out: it says nothing of any other source, and a hundred scores that lie close would look as
if sources did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from vmaftune_plugins.sidecars.history import HistoryRow, in_own_order, source_features, sources_of

from vmaftune.contract import FloatArray

TERMS = 3
"""Terms in CRF: level, slope, curvature."""

# Of the residual of one source: how far it scatters about a smooth curve, and over what share of the search range that curve
# stays alike. Chosen on streams of held-out sources (benchmarks/learning.py): surer ones made ordinary content worse.
_SCORE_NOISE = 1.0
_LENGTH = 0.2
_LEAST_WEIGHT = 1e-6
_LEAST_SIZE = 1e-6  # of the largest: where all captures are of one CRF, there is one number and no more


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What captures come down to; the same in every bit for the same captures, whatever order they were made in.

    Attributes:
        features: of the source on their fixed scale, shape (m, len(NAMES)).
        presets: of the encode, "" where the encoder has none, length m.
        terms: level, slope and curvature that the innovation is of, shape (m, TERMS).
        innovations: without unit, of variance 1 where the predictor's deviation is right, shape (m,).
        first: whether it is the largest of its source and preset, shape (m,).
        weights: how much it counts: 1, or less the more captures of the encoder came after the last one of its source and
            preset, shape (m,).
    """

    features: FloatArray
    presets: list[str]
    terms: FloatArray
    innovations: FloatArray
    first: npt.NDArray[np.bool_]
    weights: FloatArray


def evidence_of(history: Sequence[HistoryRow], forget: float = 1.0) -> Evidence:
    """What a history comes down to; absurd captures count for nothing.

    Args:
        history: each capture once, the oldest first.
        forget: factor by which a capture counts less with each one that comes after it. Among the captures of one source an
            old score is as good as one that scatters so much more.
    """
    places = _by_source(history)
    by_size: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(places):
        by_size[len(group)].append(number)
    position, spread, residual = (
        np.array([getattr(row, name) for row in history], dtype=float) for name in ("position", "deviation", "residual")
    )
    ages = np.arange(len(history))[::-1]
    parts: list[list[tuple[FloatArray, float]]] = [[] for _ in places]
    for numbers in by_size.values():
        at = np.array([places[number] for number in numbers])
        since = ages[at] - ages[at].min(axis=1, keepdims=True)
        noise = _SCORE_NOISE**2 / np.maximum(forget**since, _LEAST_WEIGHT)
        for number, part in zip(numbers, _parts(position[at], spread[at], residual[at], noise), strict=True):
            parts[number] = part
    flat = [(group, place, *one) for group, part in zip(places, parts, strict=True) for place, one in enumerate(part)]
    return Evidence(
        features=source_features([history[group[0]] for group, *_ in flat]),
        presets=[history[group[0]].preset or "" for group, *_ in flat],
        terms=np.array([terms for _, _, terms, _ in flat]).reshape(len(flat), TERMS),
        innovations=np.array([innovation for *_, innovation in flat]),
        first=np.array([place == 0 for _, place, *_ in flat], dtype=bool),
        weights=forget ** np.array([ages[max(group)] for group, *_ in flat], dtype=float),
    )


def crf_terms(positions: FloatArray) -> FloatArray:
    """Level, slope and curvature at places of the search range: 1, t and t^2 with t from -1 to 1; shape (..., TERMS)."""
    t = 2.0 * positions - 1.0
    return np.stack([np.ones_like(t), t, t**2], axis=-1)


def _by_source(history: Sequence[HistoryRow]) -> list[list[int]]:
    """Places of the captures of each source and preset, in an order that does not hang on when they were made."""
    groups: dict[tuple[bytes, str], list[int]] = defaultdict(list)
    sources = sources_of(history)
    for place in in_own_order(history):
        if not history[place].absurd:
            groups[sources[place], history[place].preset or ""].append(place)
    return [groups[key] for key in sorted(groups)]


def _parts(
    at: FloatArray, spread: FloatArray, residual: FloatArray, noise: FloatArray
) -> list[list[tuple[FloatArray, float]]]:
    """Terms and innovation of each number that sources with as many captures come down to, the largest first.

    Args:
        at, spread, residual, noise: place, deviation, residual and variance of its scatter of each capture, shape
            (sources, captures).
    """
    covariance = (
        spread[:, :, None] * spread[:, None, :] * np.exp(-0.5 * ((at[:, :, None] - at[:, None, :]) / _LENGTH) ** 2)
    )
    covariance += noise[:, :, None] * np.eye(at.shape[1])
    both = np.concatenate([crf_terms(at), residual[:, :, None]], axis=2)
    white = np.linalg.solve(np.linalg.cholesky(covariance), both)
    left, sizes, right = np.linalg.svd(white[:, :, :TERMS], full_matrices=False)
    innovations = (left * white[:, :, TERMS:]).sum(axis=1)
    return [
        [
            (size * terms, float(innovation))
            for size, terms, innovation in zip(*one, strict=True)
            if size > _LEAST_SIZE * one[0][0]
        ]
        for one in zip(sizes, right, innovations, strict=True)
    ]

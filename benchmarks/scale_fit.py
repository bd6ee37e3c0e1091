"""Fits how scores of one scale follow from those of another, over sources, and says how far off that is on a source left out.

A source's score at a known score v is the mean g(v) and the source's own deviation: Gaussian, with a standard deviation that
changes along v and a squared exponential as correlation. The mean is straight between knots, fitted by generalised least
squares, in which a source's rows count as the correlated numbers that they are, and then made to rise (pool adjacent
violators, Barlow et al., "Statistical Inference under Order Restrictions", 1972). The deviation at a knot is that of the
residuals near it, each source counting once. All deviations are multiplied by the one number with which nine of ten scores of
sources left out lie within the band of 90 %: a mean of few sources is off itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from vmaftune.contract import FloatArray
from vmaftune.host.relations import Relation
from vmaftune.quality.scale import Scale

LEAST_SOURCES = 5
BAND, SHARE = 1.645, 0.9
_LENGTHS = (3.0, 6.0, 12.0, 25.0, 50.0)
_MOST_KNOTS, _ROWS_A_KNOT = 10, 4
_TURN = 0.5  # standard deviation by which the slope changes at a knot, before anything is known
_SCATTER, _LEAST_DEVIATION = 0.2, 0.05  # of rows about their source's curve, as a share of the deviation; in scores
_WORTH_SOURCES = 2.0  # of the deviation over all rows, against what was seen near one knot
_ROUNDS = 3


@dataclass(frozen=True)
class Points:
    """The rows of one source: their scores of both scales, shape (rows,)."""

    source: str
    known: FloatArray
    asked: FloatArray


@dataclass(frozen=True)
class Fitted:
    """A relation over all sources, and for each source the one that was fitted and widened without it."""

    relation: Relation
    without: dict[str, Relation]


def fit(known: Scale, asked: Scale, sources: Sequence[Points]) -> Fitted:
    """The relation of two scales."""
    knots = _knots(np.concatenate([source.known for source in sources]))
    made = [_plain(known, asked, knots, length, sources) for length in _LENGTHS]
    relation = max(made, key=lambda one: _log_likelihood(one, sources))
    without = {
        left.source: _plain(known, asked, knots, relation.length, [one for one in sources if one is not left])
        for left in sources
    }
    errors = {one.source: np.abs(standardised(without[one.source], one)) for one in sources}
    return Fitted(
        relation=_widened(relation, _factor(list(errors.values()))),
        without={
            name: _widened(other, _factor([e for source, e in errors.items() if source != name]))
            for name, other in without.items()
        },
    )


def standardised(relation: Relation, points: Points) -> FloatArray:
    """Errors of the relation in standard deviations, shape (rows,)."""
    return (points.asked - relation.mean_at(points.known)) / relation.deviation_at(points.known)


def _knots(known: FloatArray) -> FloatArray:
    """At quantiles of the known scores, so that there are rows between any two."""
    number = min(_MOST_KNOTS, max(3, len(known) // _ROWS_A_KNOT))
    return np.unique(np.round(np.quantile(known, np.linspace(0.0, 1.0, number)), 1))


def _plain(known: Scale, asked: Scale, knots: FloatArray, length: float, sources: Sequence[Points]) -> Relation:
    """Mean and deviations in turn, until they fit each other."""
    mean, deviation = np.zeros(len(knots)), np.ones(len(knots))
    for _ in range(_ROUNDS):
        mean = _rising(_mean(knots, deviation, length, sources))
        deviation = _deviation(knots, mean, sources)
    return Relation(
        known=known,
        asked=asked,
        sources=len(sources),
        knots=tuple(knots.tolist()),
        mean=tuple(mean.tolist()),
        deviation=tuple(deviation.tolist()),
        length=length,
    )


def _mean(knots: FloatArray, deviation: FloatArray, length: float, sources: Sequence[Points]) -> FloatArray:
    """Generalised least squares, with the prior that a slope goes on as it is."""
    gaps = np.diff(knots)
    slopes = np.diff(np.eye(len(knots)), axis=0) / gaps[:, None]
    turns = np.diff(slopes, axis=0) / _TURN
    left, right = turns.T @ turns, np.zeros(len(knots))
    for source in sources:
        hats = np.array([np.interp(source.known, knots, unit) for unit in np.eye(len(knots))])
        weighed = np.linalg.solve(_covariance(knots, deviation, length, source.known), hats.T)
        left, right = left + hats @ weighed, right + weighed.T @ source.asked
    return np.linalg.solve(left + 1e-9 * np.eye(len(knots)), right)


def _covariance(knots: FloatArray, deviation: FloatArray, length: float, known: FloatArray) -> FloatArray:
    own = np.interp(known, knots, deviation)
    smooth = np.exp(-0.5 * ((known[:, None] - known[None, :]) / length) ** 2)
    return np.outer(own, own) * smooth + np.diag((_SCATTER * own) ** 2 + _LEAST_DEVIATION**2)


def _deviation(knots: FloatArray, mean: FloatArray, sources: Sequence[Points]) -> FloatArray:
    squares = [(source.asked - np.interp(source.known, knots, mean)) ** 2 for source in sources]
    overall = np.mean([np.mean(square) for square in squares])
    widths = np.gradient(knots)
    found = []
    for knot, width in zip(knots, widths, strict=True):
        near = [np.exp(-0.5 * ((source.known - knot) / width) ** 2) for source in sources]
        weights = np.array([weight.max() for weight in near])
        seen = [float(w @ s / max(w.sum(), 1e-12)) for w, s in zip(near, squares, strict=True)]
        found.append((weights @ np.array(seen) + _WORTH_SOURCES * overall) / (weights.sum() + _WORTH_SOURCES))
    return np.sqrt(np.array(found) + _LEAST_DEVIATION**2)


def _rising(values: FloatArray) -> FloatArray:
    """The nearest values that do not fall, by least squares."""
    n = len(values)
    means = np.full((n, n), np.inf)
    for first in range(n):
        means[first, first:] = np.cumsum(values[first:]) / np.arange(1, n - first + 1)
    return np.array([max(means[i, k:].min() for i in range(k + 1)) for k in range(n)])


def _log_likelihood(relation: Relation, sources: Sequence[Points]) -> float:
    total = 0.0
    for source in sources:
        error = source.asked - relation.mean_at(source.known)
        covariance = _covariance(np.array(relation.knots), np.array(relation.deviation), relation.length, source.known)
        total -= 0.5 * (np.linalg.slogdet(covariance)[1] + error @ np.linalg.solve(covariance, error))
    return total


def _factor(errors: Sequence[FloatArray]) -> float:
    """What standard deviations are multiplied by, for SHARE of errors to lie within BAND of them; each source counts once.

    Of n sources, the largest error is that of the share 1 - 1 / 2n, and so on down (Hazen's plotting position).
    """
    share = min(1.0, SHARE + 0.5 / len(errors))
    values = np.concatenate(errors)
    weights = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in errors])
    order = np.argsort(values)
    passed = np.cumsum(weights[order]) / weights.sum()
    return float(np.interp(share, passed, values[order])) / BAND


def _widened(relation: Relation, factor: float) -> Relation:
    return msgspec.structs.replace(
        relation,
        mean=tuple(round(value, 3) for value in relation.mean),
        deviation=tuple(round(value * factor, 3) for value in relation.deviation),
    )

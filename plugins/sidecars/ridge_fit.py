"""Ridge on what was learned: a shift of the curve, how sure it is, and how far the sources of this host lie about it.

The strength of the pull to no correction is not one number here. Several are tried, among them one that allows no correction
at all, each is weighed by how probable it makes the captures (MacKay, "Bayesian Interpolation", 1992), and the shift is their
weighted mean: where the predictor is right about a host's content, it is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from vmaftune_plugins.sidecars.evidence import TERMS, crf_terms, evidence_of
from vmaftune_plugins.sidecars.ridge_state import COLUMNS, State, columns, design, forgetting
from vmaftune_plugins.sidecars.robust import student_weights, weighted_median

from vmaftune.contract import FloatArray

_PRESET_TERMS = 2  # level and slope of this preset, beside those that all presets share
# Standard deviations in grains of what is expected of a correction where there is one, before anything was captured.
_LEVEL, _SLOPE, _CURVATURE, _FEATURE, _INTERACTION, _PRESET = 4.0, 1.0, 0.1, 0.6, 0.4, 2.0
# Strengths of the terms in CRF and of the features, and how probable each pair is before anything was captured.
_STRENGTHS = (
    (0.0, 0.0, 0.90),
    (0.25, 0.0, 0.04),
    (1.0, 0.0, 0.04),
    (0.25, 0.3, 0.01),
    (1.0, 0.3, 0.01),
)
_LEAST_PULL = 1e-4  # leaves 400 grains to a level: weaker ones give the same, until rounding is all that is left
_NOISE_CAPTURES = 10.0  # that the predictor's own uncertainty counts for against what captures say of it
_ROUNDS = 4
_LEAST_SPREAD, _MOST_SPREAD = 0.3, 16.0
_FARTHEST = 5.0  # deviations: one source tells no more of how far all of them scatter


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was learned for one preset.

    Attributes:
        weights: shift per unit of each column, shape (d,), in grains (history.py).
        covariance: of ``weights``, shape (d, d).
        spread: variance of sources about the shifted curve, as a share of what the predictor says.
    """

    weights: FloatArray
    covariance: FloatArray
    spread: float

    def shift(self, features: FloatArray, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shift over a grid in grains, shape (n,), and its covariance, shape (n, n).

        Args:
            features: of the source on their fixed scale, shape (len(NAMES),).
            positions: places of the grid in the search range, shape (n,).
        """
        terms = crf_terms(positions)
        rows = columns(np.broadcast_to(features, (len(positions), len(features))), terms)
        rows = np.hstack([rows, rows[:, :_PRESET_TERMS]])
        return rows @ self.weights, rows @ self.covariance @ rows.T


def fit(state: State, preset: str | None, ridge_lambda: float, half_life: float) -> Fit:
    """Fit to everything that is held.

    What sources say (evidence.py) is weighed by Student's t about the fit itself: one that no other agrees with counts for
    little.

    Args:
        state: what was learned.
        preset: that the shift is for; captures of all presets count, its own twice over.
        ridge_lambda: factor of the pull to no correction.
        half_life: captures after which one counts half; 0 forgets nothing.
    """
    evidence, own = evidence_of(state.history, forgetting(half_life)), preset or ""
    x, innovations = design(evidence), evidence.innovations
    mine = np.array([float(name == own) for name in evidence.presets])
    x = np.hstack([x, x[:, :_PRESET_TERMS] * mine[:, None]])
    prior, chance = _prior(ridge_lambda)
    forget = evidence.weights
    centre = _median_level(innovations, x[:, 0])
    weights = forget * student_weights(innovations - centre * x[:, 0])
    for _ in range(_ROUNDS):
        mean, covariance, spread = _mixture(
            (x * weights[:, None]).T @ x,
            x.T @ (weights * innovations),
            float(weights @ innovations**2),
            float(weights.sum()),
            prior,
            chance,
        )
        weights = forget * student_weights((innovations - x @ mean) / np.sqrt(spread))
    first = evidence.first * forget
    leverage = ((x @ (covariance / spread)) * x).sum(axis=1) * weights
    beside = np.clip((innovations - x @ mean) / np.maximum(1.0 - leverage, 0.1), -_FARTHEST, _FARTHEST)
    spread = (_NOISE_CAPTURES + float(first @ beside**2)) / (_NOISE_CAPTURES + float(first.sum()))
    return Fit(weights=mean, covariance=covariance, spread=float(np.clip(spread, _LEAST_SPREAD, _MOST_SPREAD)))


def _prior(ridge_lambda: float) -> tuple[FloatArray, FloatArray]:
    """For each strength: standard deviation of each weight, shape (m, d), and the logarithm of its probability, shape (m,)."""
    of_features = (len(COLUMNS) - TERMS) // 2
    in_crf = np.array([_LEVEL, _SLOPE, _CURVATURE, *[0.0] * (2 * of_features), *[_PRESET] * _PRESET_TERMS])
    beside = np.array([0.0] * TERMS + [_FEATURE] * of_features + [_INTERACTION] * of_features + [0.0] * _PRESET_TERMS)
    strengths = np.array(_STRENGTHS)
    scales = strengths[:, :1] * in_crf + strengths[:, 1:2] * beside
    return scales / np.sqrt(max(ridge_lambda, _LEAST_PULL)), np.log(strengths[:, 2])


def _mixture(
    gram: FloatArray, moment: FloatArray, squares: float, count: float, prior: FloatArray, chance: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Mean and covariance of the weights over all strengths, and the variance of innovations.

    Args:
        prior: standard deviation of each weight for each strength, shape (m, d).
        chance: logarithm of the probability of each strength beforehand, shape (m,).
    """
    system = prior[:, :, None] * gram * prior[:, None, :] + np.eye(len(moment))
    inverse = np.linalg.inv(system)
    scaled = prior * moment
    solved = (inverse @ scaled[:, :, None])[:, :, 0]
    left = np.maximum(squares - (scaled * solved).sum(axis=1), 0.0) + _NOISE_CAPTURES
    freedom = _NOISE_CAPTURES + count
    evidence = chance - 0.5 * np.linalg.slogdet(system)[1] - 0.5 * freedom * np.log(left)
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    each = prior * solved
    mean = share @ each
    variance = left / freedom
    within = ((share * variance)[:, None, None] * prior[:, :, None] * inverse * prior[:, None, :]).sum(axis=0)
    beside = (each - mean) * np.sqrt(share)[:, None]
    covariance = within + beside.T @ beside
    covariance = (covariance + covariance.T) / 2  # inverses are symmetric but for rounding
    return mean, covariance, float(share @ variance)


def _median_level(innovations: FloatArray, level: FloatArray) -> float:
    """Median of innovation over level, each weighed by its level."""
    known = np.abs(level) > 1e-6
    return weighted_median(innovations[known] / level[known], np.abs(level[known])) if known.any() else 0.0

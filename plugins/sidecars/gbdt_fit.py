"""Gradient-boosted trees on what was captured: a shift of the curve, and how far the sources of this host lie about it.

Captures of one source miss together, so whatever is counted here is counted in sources: a capture weighs 1 over the captures
of its source, a leaf must hold LEAST_SOURCES, and how much can be believed is measured on sources that were held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from vmaftune_plugins.sidecars.history import HistoryRow, in_own_order, source_features, sources_of
from vmaftune_plugins.sidecars.robust import student_weights, weighted_median

from vmaftune.contract import FloatArray
from vmaftune.contract.features import NAMES

if TYPE_CHECKING:  # most of a second, which who has learned nothing yet need not wait for
    import lightgbm

COLUMNS: tuple[str, ...] = (*NAMES, "position", "preset")
"""What trees see of a capture; ``preset`` is the preset's place among those that were learned from."""

RECIPE = 2
"""Raised whenever training changes; trees of another recipe are grown anew."""

LEAST_SOURCES = 4.0

_HUBER = 3.0
# Weights of captures are the second derivatives of the loss, so what LightGBM calls hessian counts sources.
_PARAMETERS: dict[str, object] = {
    "objective": "huber",
    "alpha": _HUBER,
    "boost_from_average": False,
    "learning_rate": 0.1,
    "max_depth": 2,
    "num_leaves": 4,
    "min_sum_hessian_in_leaf": LEAST_SOURCES,
    "min_data_in_leaf": 1,
    "min_data_per_group": 1,
    "lambda_l2": LEAST_SOURCES,
    "cat_l2": LEAST_SOURCES,
    "cat_smooth": LEAST_SOURCES,
    "max_bin": 31,
    "feature_pre_filter": False,
    "seed": 0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
_ROUNDS = (0, 5, 10, 20, 40, 80, 120)
_FOLDS = 8
# In units of z^2, see _share. The number of trees is the best of several, which by chance alone looks better than it is.
_CHANCE_OF_LEVEL, _CHANCE_OF_TREES = 2.0, 4.0
_GRID = np.linspace(0.0, 1.0, 33)
_WINDOW = 0.12  # of the search range
_LEAST_DEVIATION = 1.0
_LOCATION_ROUNDS = 10
_NOISE_SOURCES = 10.0  # that the predictor's own uncertainty counts for against what captures say of it
_LEAST_SPREAD, _MOST_SPREAD = 0.3, 4.0


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned from the captures of one encoder.

    Attributes:
        recipe: RECIPE it was made by.
        history_sha256: of the captures it was made from.
        presets: among them; "" where the encoder has none.
        captures, sources: how many.
        level: what is believed of the level of the residuals, in grains (history.py).
        trees: what features make of it, in LightGBM's text format; empty where none foretold held-out sources better than
            the level alone.
        share: of the trees that is believed, 0 to 1.
        spread: variance of sources about the shifted curve, as a share of what the predictor says.
    """

    recipe: int
    history_sha256: str
    presets: tuple[str, ...]
    captures: int
    sources: int
    level: float
    trees: str
    share: float
    spread: float


class Fit:
    """A model in use.

    Args:
        model: as grown.

    Raises:
        ValueError: its trees cannot be read.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._trees = _read(model.trees) if model.trees else None

    def shift(self, features: FloatArray, preset: int, positions: FloatArray) -> FloatArray:
        """Shift over a grid, shape (n,), in grains.

        A tree steps from CRF to CRF, and a search would take such a step for the encoder's. So trees are asked all over the
        search range and averaged over a window of it. (Trees for a level and a slope would be smooth too, but captures of one
        source lie close together, at its target, and say little of a slope that would hold for the whole range.)

        Args:
            features: of the source on their fixed scale, shape (len(NAMES),).
            preset: as in columns.
            positions: places of the grid in the search range, shape (n,).
        """
        if self._trees is None:
            return np.full(len(positions), self.model.level)
        rows = columns(np.tile(features, (len(_GRID), 1)), _GRID, np.full(len(_GRID), preset))
        window = np.exp(-0.5 * ((positions[:, None] - _GRID[None, :]) / _WINDOW) ** 2)
        each = self._trees.predict(rows, num_threads=1)
        return self.model.level + self.model.share * (window @ each / window.sum(axis=1))

    def contributions(self, rows: FloatArray) -> FloatArray:
        """What each column adds to the shift of captures beside the level, shape (len(rows), len(COLUMNS)), in grains.

        Shapley values (Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
        2020); what trees add whatever the column is left out.
        """
        if self._trees is None:
            return np.zeros((len(rows), len(COLUMNS)))
        each: FloatArray = self._trees.predict(rows, num_threads=1, pred_contrib=True)
        return self.model.share * each[:, :-1]


def columns(features: FloatArray, positions: FloatArray, presets: FloatArray) -> FloatArray:
    """Rows of COLUMNS, shape (n, len(COLUMNS)).

    Args:
        features: on their fixed scale, shape (n, len(NAMES)).
        positions: places in the search range, shape (n,).
        presets: place of each preset among those learned from; -1 for any other, shape (n,).
    """
    return np.column_stack([features, positions, presets])


def design(history: Sequence[HistoryRow], presets: Sequence[str]) -> FloatArray:
    """What trees see of captures, shape (len(history), len(COLUMNS))."""
    codes = np.array([presets.index(row.preset or "") for row in history], dtype=float)
    return columns(source_features(list(history)), np.array([row.position for row in history]), codes)


def grow(history: Sequence[HistoryRow], history_sha256: str, sources: int) -> Model:
    """A level and trees on all that is held; the same captures give the same trees, bit for bit.

    How many trees, and which shares of level and trees are believed, is measured on sources that they did not see (_share):
    of n sources that miss alike (n - 2) / n of the level is believed, and of a miss that is no miss exactly nothing.

    Args:
        history: captures; absurd ones are left out.
        history_sha256: of the captures.
        sources: that they are of.
    """
    presets = tuple(sorted({row.preset or "" for row in history}))
    rows = [history[place] for place in in_own_order(history) if not history[place].absurd]
    source = _sources(rows)
    level, trees, share, spread = 0.0, "", 0.0, 1.0
    if source.max(initial=-1) >= 1:
        x, residuals = design(rows, presets), np.array([row.residual for row in rows])
        deviations = np.maximum([row.deviation for row in rows], _LEAST_DEVIATION)
        weights = 1.0 / np.bincount(source)[source]
        levels, trees_said = _held_out(x, residuals, deviations, weights, source)
        best = int(np.argmin(_huber(residuals - levels - trees_said) @ weights))
        weighed = weights * student_weights((residuals - levels - trees_said[best]) / deviations)
        believed = _share(residuals, levels, weighed, source, _CHANCE_OF_LEVEL)
        share = _share(residuals - believed * levels, trees_said[best], weighed, source, _CHANCE_OF_TREES)
        left = (residuals - believed * levels - share * trees_said[best]) / deviations
        spread = (_NOISE_SOURCES + float(weights @ left**2)) / (_NOISE_SOURCES + float(weights.sum()))
        location = _location(residuals, deviations, weights)
        level = believed * location
        if share > 0.0:
            trees = _boosted(x, residuals - location, weights, _ROUNDS[best]).model_to_string()
    return Model(
        recipe=RECIPE,
        history_sha256=history_sha256,
        presets=presets,
        captures=len(history),
        sources=sources,
        level=level,
        trees=trees,
        share=share,
        spread=float(np.clip(spread, _LEAST_SPREAD, _MOST_SPREAD)),
    )


def _read(trees: str) -> lightgbm.Booster:
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=trees)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)) from error
    if booster.num_feature() != len(COLUMNS):
        raise ValueError("trees of other features")
    return booster


def _sources(rows: Sequence[HistoryRow]) -> np.ndarray:
    """The number of each capture's source, in order of appearance, shape (len(rows),)."""
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(source, len(known)) for source in sources_of(rows)], dtype=int)


def _held_out(
    x: FloatArray, residuals: FloatArray, deviations: FloatArray, weights: FloatArray, source: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """What is foretold of each capture by all sources but its own and a few others, in grains.

    Returns:
        The level, shape (n,), and what trees say beside it after so many _ROUNDS, shape (len(_ROUNDS), n).
    """
    levels, trees_said = np.zeros(len(residuals)), np.zeros((len(_ROUNDS), len(residuals)))
    fold = source % _FOLDS
    for out in (fold == number for number in np.unique(fold)):
        levels[out] = level = _location(residuals[~out], deviations[~out], weights[~out])
        trees = _boosted(x[~out], residuals[~out] - level, weights[~out], _ROUNDS[-1])
        for said, rounds in zip(trees_said[1:], _ROUNDS[1:], strict=True):
            said[out] = trees.predict(x[out], num_iteration=rounds, num_threads=1)
    return levels, trees_said


def _boosted(x: FloatArray, residuals: FloatArray, weights: FloatArray, rounds: int) -> lightgbm.Booster:
    """Trees of huber loss (Friedman, "Greedy function approximation: a gradient boosting machine", 2001)."""
    import lightgbm

    data = lightgbm.Dataset(
        x,
        residuals,
        weight=weights,
        feature_name=list(COLUMNS),
        categorical_feature=[COLUMNS.index("preset")],
        params=_PARAMETERS,
    )
    return lightgbm.train(_PARAMETERS, data, rounds)


def _share(
    residuals: FloatArray, foretold: FloatArray, weights: FloatArray, source: np.ndarray, chance: float
) -> float:
    """Which share of what was foretold of held-out sources can be believed, 0 to 1.

    The regression of residuals r on what was foretold of them, p, less what chance alone would give: the positive part of
    1 - chance / z^2 (James and Stein, "Estimation with quadratic loss", 1961), where z is the sum of r p over its standard
    error. That comes from sources, not captures: z^2 is never more than their number.
    """
    agrees = np.bincount(source, weights * residuals * foretold)
    total, size = float(agrees.sum()), float(weights @ foretold**2)
    if total <= 0.0 or size <= 0.0:
        return 0.0
    return min(total / size, 1.0) * max(0.0, 1.0 - chance * float((agrees**2).sum()) / total**2)


def _location(residuals: FloatArray, deviations: FloatArray, weights: FloatArray) -> float:
    """Where residuals lie, in grains: the location of Student's t."""
    level = weighted_median(residuals, weights)
    for _ in range(_LOCATION_ROUNDS):
        each = weights * student_weights((residuals - level) / deviations)
        level = float(each @ residuals / each.sum())
    return level


def _huber(left: FloatArray) -> FloatArray:
    far = np.abs(left) - _HUBER
    return np.where(far < 0.0, 0.5 * left**2, _HUBER * (far + 0.5 * _HUBER))

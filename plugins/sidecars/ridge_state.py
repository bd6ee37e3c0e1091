"""What ridge has learned of one encoder: exact sums over all captures, and the last captures themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from vmaftune_plugins.sidecars import learned
from vmaftune_plugins.sidecars.history import TERMS, HistoryRow, source_features
from vmaftune_plugins.sidecars.learned import Learned, Tally, appended, counted, joined, summed
from vmaftune_plugins.sidecars.learned import anonymous as anonymous
from vmaftune_plugins.sidecars.statefile import StateFile

from vmaftune.features.schema import NAMES
from vmaftune.types import FloatArray

SCHEMA_VERSION = 2
COLUMNS: tuple[str, ...] = ("level", "slope", "curvature", *NAMES, *(f"slope x {name}" for name in NAMES))
"""What a shift is made of: terms in CRF, features, and features times slope."""

_UNITS_PER_ONE = 2.0**32

Sums = npt.NDArray[np.int64]


class Statistics(Tally, frozen=True, kw_only=True):
    """What is known of the captures of one preset; fields as in Tally, and:

    Attributes:
        sums: over those that have left the history, int64, little-endian, in whole units of 2^-32: of x x^T (its lower
            triangle, row by row), of x times the innovation, and of the innovation squared, for rows x of COLUMNS. Whole
            numbers add up to the same in any order.
    """

    sums: bytes = bytes(8 * (len(COLUMNS) * (len(COLUMNS) + 1) // 2 + len(COLUMNS) + 1))


class State(Learned, frozen=True, kw_only=True):
    """State of one predictor version and encoder; fields as in Learned: of SCHEMA_VERSION, from COLUMNS."""

    presets: Mapping[str, Statistics] = {}


def state_file(folder: Path, predictor_version: str, encoder: str, warn: Callable[[str], None]) -> StateFile[State]:
    """The file that holds it.

    Args:
        folder: ``<cache>/vmaf-tune/sidecar``.
        warn: told when the file cannot be used.
    """
    return StateFile(
        folder,
        predictor_version,
        encoder,
        empty=lambda: _empty(predictor_version),
        problem=lambda state: problem(state, predictor_version),
        warn=warn,
    )


def problem(state: State, predictor_version: str) -> str | None:
    """Why a state cannot be used with that predictor; None where it can."""
    wrong = any(len(s.sums) != len(Statistics().sums) for s in state.presets.values())
    shape = "has statistics of the wrong shape" if wrong else None
    return learned.problem(state, _empty(predictor_version)) or shape


def add(state: State, row: HistoryRow, *, history_rows: int, half_life: float, folder: Path) -> State:
    """The state with one capture more: a rank-1 update.

    Args:
        history_rows: captures that are kept.
        half_life: captures of this encoder after which one counts half; 0 forgets nothing.
        folder: that holds the host's identifier.
    """
    forget = forgetting(half_life)
    presets = {name: _decayed(known, forget) for name, known in state.presets.items()} if forget < 1 else state.presets
    after = counted(presets.get(row.preset or "", Statistics()), row)
    return _trimmed(appended(state, row, {**presets, row.preset or "": after}, folder), history_rows, forget)


def merged(state: State, other: State, *, history_rows: int, bundle: str, folder: Path) -> State:
    """Both together: statistics add up exactly, and the last captures of the two stay.

    Args:
        bundle: hash of what ``other`` came in.
        folder: that holds the host's identifier.
    """
    presets = dict(state.presets)
    for name, theirs in other.presets.items():
        mine = presets.get(name, Statistics())
        sums = (sums_left(mine) + sums_left(theirs)).astype("<i8").tobytes()
        presets[name] = msgspec.structs.replace(summed(mine, theirs), sums=sums)
    return _trimmed(joined(state, other, presets, bundle=bundle, folder=folder), history_rows, 1.0)


def columns(features: FloatArray, terms: FloatArray) -> FloatArray:
    """Rows of COLUMNS, shape (n, len(COLUMNS)).

    Args:
        features: on their fixed scale, shape (n, len(NAMES)).
        terms: level, slope and curvature, shape (n, TERMS).
    """
    return np.hstack([terms, terms[:, :1] * features, terms[:, 1:2] * features])


def design(rows: list[HistoryRow]) -> FloatArray:
    """What ridge sees of captures, shape (len(rows), len(COLUMNS))."""
    terms = np.array([row.terms for row in rows]).reshape(len(rows), TERMS)
    return columns(source_features(rows), terms)


def sums_of(rows: list[HistoryRow]) -> Sums:
    """Sums over ``rows``, each rounded on its own, as Statistics has them."""
    x, innovations = design(rows), np.array([row.innovation for row in rows])
    i, j = np.tril_indices(len(COLUMNS))
    parts = np.column_stack([x[:, i] * x[:, j], x * innovations[:, None], innovations**2])
    total: Sums = np.round(parts * _UNITS_PER_ONE).astype(np.int64).sum(axis=0)
    return total


def sums_left(statistics: Statistics) -> Sums:
    """Sums over the captures that have left the history."""
    return np.frombuffer(statistics.sums, "<i8").astype(np.int64)


def total_sums(state: State, preset: str) -> Sums:
    """Sums over all captures of a preset that were ever made."""
    return sums_left(state.presets[preset]) + sums_of([row for row in state.history if (row.preset or "") == preset])


def ages(state: State) -> npt.NDArray[np.int64]:
    """How many captures came after each one of the history, shape (len(state.history),)."""
    return np.arange(len(state.history))[::-1].astype(np.int64)


def forgetting(half_life: float) -> float:
    """By which factor a capture counts less with each one that comes after it."""
    return 0.5 ** (1.0 / half_life) if half_life > 0 else 1.0


def expanded(sums: Sums) -> tuple[FloatArray, FloatArray, float]:
    """Gram matrix (d, d), moments (d,) and sum of squares."""
    d = len(COLUMNS)
    values = sums / _UNITS_PER_ONE
    gram = np.zeros((d, d))
    gram[np.tril_indices(d)] = values[: -d - 1]
    return gram + np.tril(gram, -1).T, values[-d - 1 : -1], float(values[-1])


def _empty(predictor_version: str) -> State:
    return State(
        schema_version=SCHEMA_VERSION, predictor_version=predictor_version, host_uuid="", feature_names=COLUMNS
    )


def _trimmed(state: State, history_rows: int, forget: float) -> State:
    """The oldest captures beyond what the history holds go into the sums."""
    excess = len(state.history) - history_rows
    if excess <= 0:
        return state
    presets = dict(state.presets)
    for row, age in zip(state.history[:excess], ages(state), strict=False):
        known = presets[row.preset or ""]
        added = sums_of([row])  # whole numbers stay whole numbers where nothing is forgotten
        added = added if forget == 1.0 else np.round(added * forget**age).astype(np.int64)
        sums = sums_left(known) + added
        presets[row.preset or ""] = msgspec.structs.replace(known, sums=sums.astype("<i8").tobytes())
    return msgspec.structs.replace(state, presets=presets, history=state.history[excess:])


def _decayed(statistics: Statistics, factor: float) -> Statistics:
    sums = np.round(sums_left(statistics) * factor).astype("<i8")
    return msgspec.structs.replace(statistics, sums=sums.tobytes())

"""The correction itself: ridge regression of the residual on features and terms in CRF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from vmaftune_plugins.sidecars.ridge import Settings
from vmaftune_plugins.sidecars.ridge_state import State, StateFile, add

from vmaftune.features.schema import NAMES, Features
from vmaftune.search.grid import crf_positions
from vmaftune.types import Adjustment, Capture, CurveContext, FloatArray, Prediction

_FEATURE_WEIGHT = 0.2
"""Source features enter with less weight than the terms in CRF, so that a few captures move the level before they
say anything of how features matter; ridge's penalty is the same for all."""

COLUMNS: tuple[str, ...] = ("level", "crf", "crf_squared", *NAMES)


class RidgeCorrection:
    """Shift = w . x, with w the ridge estimate on every capture of this host.

    w = (X^T X + lambda I)^-1 X^T r, for rows x of X and residuals r = observed - predicted (Hoerl and Kennard, "Ridge
    regression", 1970; ADR-0394). X^T X and X^T r are what is kept, and each capture adds x x^T and x r to them, so an update is
    a rank-1 one and order does not matter. With nothing captured the shift is exactly 0.0.

    Args:
        settings: see Settings.
        folder: ``<cache>/vmaf-tune/sidecar``.
        predictor_version: state of another version is left alone.
        warn: shows one line.
    """

    def __init__(self, settings: Settings, folder: Path, predictor_version: str, warn: Callable[[str], None]) -> None:
        self._settings, self._folder = settings, folder
        self._version, self._warn = predictor_version, warn

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        """The shift over the grid, within the settings' largest correction."""
        name = context.encoder.name
        n = len(context.crfs)
        if not self._settings.enabled(name):
            return Adjustment(shift=np.zeros(n), captures=0)
        state = self._file(name).read()
        if state.captures == 0:
            return Adjustment(shift=np.zeros(n), captures=0)
        settings = self._settings.of(name)
        rows = design(context.features, crf_positions(context.encoder, context.crfs))
        shift = rows @ weights(state, settings.ridge_lambda)
        bound = settings.max_correction
        return Adjustment(shift=np.clip(shift, -bound, bound), captures=state.captures)

    def learn(self, capture: Capture) -> None:
        """Add one capture to the state of its encoder, durably."""
        if not self._settings.enabled(capture.encoder):
            return
        rows = self._settings.of(capture.encoder).history_rows
        x = design(capture.features, np.array([capture.crf_position]))[0]
        try:
            self._file(capture.encoder).update(
                lambda state: add(state, x, capture.residual, capture.unix_seconds, rows)
            )
        except OSError as error:
            raise OSError(f"nothing is learned: cannot write {self._folder} ({error.strerror or error})") from error

    def _file(self, encoder: str) -> StateFile:
        return StateFile(self._folder, self._version, encoder, COLUMNS, self._warn)


def weights(state: State, ridge_lambda: float) -> FloatArray:
    """Ridge weights, shape (d,), in VMAF per unit of each column."""
    gram = np.array(state.gram)
    return np.linalg.solve(gram + ridge_lambda * np.eye(len(gram)), np.array(state.moment))


def design(features: Features, positions: FloatArray) -> FloatArray:
    """Rows that ridge sees, shape (len(positions), len(COLUMNS)): level, CRF, CRF squared, features.

    Args:
        positions: place of each CRF in the encoder's search range, 0 to 1.
    """
    t = 2.0 * positions - 1.0
    source = np.broadcast_to(_FEATURE_WEIGHT * features.scaled(), (len(positions), len(NAMES)))
    return np.column_stack([np.ones_like(t), t, t**2, source])

"""The correction itself: trees that were grown from the captures of an encoder, applied to a curve."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from vmaftune_plugins.sidecars.correction import HostCorrection
from vmaftune_plugins.sidecars.gbdt_fit import COLUMNS, Fit, design, grow
from vmaftune_plugins.sidecars.gbdt_state import State, history_sha256, model_in, state_file, with_model
from vmaftune_plugins.sidecars.statefile import StateFile

from vmaftune.contract import Adjustment, CurveContext, LearnedTerm, Prediction, crf_positions

_GROWN = 1.25


class GbdtCorrection(HostCorrection[State]):
    """Shift = level + share x trees(features, CRF, preset), see gbdt_fit.py.

    Trees are grown anew when a run first asks for a correction and captures came since they were grown; within a run once
    more for every quarter of sources that came. What was learned since then waits for the next run.

    The arguments are those of HostCorrection; ``folder`` is ``<cache>/vmaf-tune/gbdt-sidecar``.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._fits: dict[str, Fit] = {}

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        """The shift over the grid, within the settings' largest correction, and the band that is left about it."""
        encoder = context.encoder.name
        settings = self._settings.of(encoder, context.preset)
        nothing = np.zeros(len(context.crfs))
        if not settings.enabled:
            return Adjustment(shift=nothing, captures=0)
        state = self.state(encoder)
        if state.sources < settings.minimum_sources:
            return Adjustment(shift=nothing, captures=state.captures)
        fit = self._fit(encoder, state)
        features = context.features.scaled().astype("<f4").astype(float)  # as captures hold them
        presets = fit.model.presets
        preset = presets.index(context.preset or "") if (context.preset or "") in presets else -1
        shift = fit.shift(features, preset, crf_positions(context.encoder, context.crfs))
        bound = settings.max_correction
        return Adjustment(
            shift=state.grain * np.clip(shift, -bound, bound),
            captures=fit.model.captures,
            covariance=fit.model.spread * prediction.covariance,
            note=self._note(state, settings),
        )

    def terms(self, predictor_version: str, encoder: str, preset: str | None) -> list[LearnedTerm]:
        """The level, and how far each column moves the shift: rms over the captures held of this preset, in score.

        ``deviation`` is that of what it moves, over these captures; trees have no weight per unit.
        """
        state = self._file(encoder, predictor_version).read()
        if not state.captures:
            return []
        fit = _fit(state)
        rows = [row for row in state.history if preset in (None, row.preset) and not row.absurd]
        moved = fit.contributions(design(rows, fit.model.presets)) if rows else np.zeros((1, len(COLUMNS)))
        moved = state.grain * moved
        each = zip(COLUMNS, np.sqrt((moved**2).mean(axis=0)).tolist(), moved.std(axis=0).tolist(), strict=True)
        terms = [LearnedTerm(name=name, weight=weight, deviation=deviation) for name, weight, deviation in each]
        level = LearnedTerm(name="level", weight=state.grain * fit.model.level, deviation=0.0)
        return sorted([level, *terms], key=lambda term: -abs(term.weight))

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        content = super().exported(predictor_version, encoder)
        return {name: value for name, value in content.items() if name not in ("model", "model_sha256")}

    def _fit(self, encoder: str, state: State) -> Fit:
        held = self._fits.get(encoder)
        if held is not None:
            model = held.model
            if model.sources <= state.sources < _GROWN * model.sources or model.history_sha256 == history_sha256(state):
                return held
        fit = self._fits[encoder] = _fit(state)
        if fit.model != state.model:
            with contextlib.suppress(OSError):  # where nothing can be written it is grown in each run
                self._file(encoder).update(lambda now: with_model(now, fit.model))
        return fit

    def _file(self, encoder: str, predictor_version: str | None = None) -> StateFile[State]:
        version = predictor_version or self._version
        return state_file(self._folder, version, encoder, self._grain_of(version), self._warn)


def _fit(state: State) -> Fit:
    """The state's own model, or one that is grown from its history."""
    if (model := model_in(state)) is not None:
        with contextlib.suppress(ValueError):
            return Fit(model)
    return Fit(grow(state.history, history_sha256(state), state.sources))

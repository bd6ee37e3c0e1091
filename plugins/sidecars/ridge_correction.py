"""The correction itself: what was learned of an encoder, applied to a curve."""

from __future__ import annotations

import numpy as np
from vmaftune_plugins.sidecars.correction import HostCorrection
from vmaftune_plugins.sidecars.ridge_fit import fit
from vmaftune_plugins.sidecars.ridge_settings import Settings
from vmaftune_plugins.sidecars.ridge_state import COLUMNS, State, state_file
from vmaftune_plugins.sidecars.statefile import StateFile

from vmaftune.contract import Adjustment, CurveContext, LearnedTerm, Prediction, crf_positions


class RidgeCorrection(HostCorrection[State]):
    """Shift = w . x, with w the ridge estimate on every capture of this host.

    w = (X^T X + lambda I)^-1 X^T r, for rows x of X and residuals r = observed - predicted (Hoerl and Kennard, "Ridge
    regression", 1970; ADR-0394), where captures of one source count as one (evidence.py) and lambda is weighed by evidence
    (ridge_fit.py). Captures are what is kept, each once, and X^T X and X^T r are summed over them in an order of their own, so
    the order in which they came does not matter. With nothing captured the shift is exactly 0.0.

    The arguments are those of HostCorrection; ``folder`` is ``<cache>/vmaf-tune/sidecar``.
    """

    _settings: Settings

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        """The shift over the grid, within the settings' largest correction, and the band that is left about it."""
        settings = self._settings.of(context.encoder.name, context.preset)
        nothing = np.zeros(len(context.crfs))
        if not settings.enabled:
            return Adjustment(shift=nothing, captures=0)
        state = self.state(context.encoder.name)
        if state.sources < settings.minimum_sources:
            return Adjustment(shift=nothing, captures=state.captures)
        learned = fit(state, context.preset, settings.ridge_lambda, settings.half_life)
        positions = crf_positions(context.encoder, context.crfs)
        shift, unsure = learned.shift(context.features.scaled().astype("<f4").astype(float), positions)
        bound, grain = settings.max_correction, state.grain
        covariance = learned.spread * prediction.covariance + grain**2 * unsure
        return Adjustment(
            shift=grain * np.clip(shift, -bound, bound),
            captures=state.captures,
            covariance=covariance,
            note=self._note(state, settings),
        )

    def terms(self, predictor_version: str, encoder: str, preset: str | None) -> list[LearnedTerm]:
        state = self._file(encoder, predictor_version).read()
        if not state.captures:
            return []
        settings = self._settings.of(encoder, preset)
        learned = fit(state, preset, settings.ridge_lambda, settings.half_life)
        names = (*COLUMNS, "level of this preset", "slope of this preset")
        weights, deviations = state.grain * learned.weights, state.grain * np.sqrt(learned.covariance.diagonal())
        each = zip(names, weights.tolist(), deviations.tolist(), strict=True)
        terms = [LearnedTerm(name=name, weight=weight, deviation=deviation) for name, weight, deviation in each]
        return sorted(terms, key=lambda term: -abs(term.weight))

    def _file(self, encoder: str, predictor_version: str | None = None) -> StateFile[State]:
        version = predictor_version or self._version
        return state_file(self._folder, version, encoder, self._grain_of(version), self._warn)

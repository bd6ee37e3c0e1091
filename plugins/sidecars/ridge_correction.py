"""The correction itself: what was learned of an encoder, applied to a curve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from vmaftune_plugins.sidecars.drift import Health, health
from vmaftune_plugins.sidecars.history import HistoryRow, packed_features, row_of
from vmaftune_plugins.sidecars.ridge import Settings
from vmaftune_plugins.sidecars.ridge_fit import fit
from vmaftune_plugins.sidecars.ridge_state import COLUMNS, State, add, anonymous, merged, problem, state_file
from vmaftune_plugins.sidecars.statefile import StateFile, state_folders

from vmaftune.search.grid import crf_positions
from vmaftune.types import Adjustment, Capture, CurveContext, LearnedCapture, LearnedState, LearnedTerm, Prediction


class RidgeCorrection:
    """Shift = w . x, with w the ridge estimate on every capture of this host.

    w = (X^T X + lambda I)^-1 X^T r, for rows x of X and residuals r = observed - predicted (Hoerl and Kennard, "Ridge
    regression", 1970; ADR-0394), where captures of one source count as one (history.py) and lambda is weighed by evidence
    (ridge_fit.py). X^T X and X^T r are what is kept, and each capture adds x x^T and x r to them, so an update is a rank-1 one
    and order does not matter. With nothing captured the shift is exactly 0.0.

    Args:
        settings: see Settings.
        folder: ``<cache>/vmaf-tune/sidecar``.
        predictor_version: state of another version is left alone.
        warn: shows one line.
    """

    def __init__(self, settings: Settings, folder: Path, predictor_version: str, warn: Callable[[str], None]) -> None:
        self._settings, self._folder = settings, folder
        self._version, self._warn = predictor_version, warn
        self._of_this_source: tuple[str, list[HistoryRow]] = ("", [])

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
        bound = settings.max_correction
        covariance = learned.spread * prediction.covariance + unsure
        return Adjustment(
            shift=np.clip(shift, -bound, bound),
            captures=state.captures,
            covariance=(covariance + covariance.T) / 2,
            note=_note(health(state.history, settings.drift_window, settings.drift_threshold)),
        )

    def learn(self, capture: Capture) -> None:
        """Add one capture to the state of its encoder, durably."""
        settings = self._settings.of(capture.encoder, capture.preset)
        if not settings.enabled:
            return
        features = packed_features(capture.features)
        encoder, mine = self._of_this_source
        mine = [row for row in mine if encoder == capture.encoder and row.features == features]
        made: list[HistoryRow] = []

        def change(state: State) -> State:
            # What this process learned of the source may have left the history meanwhile.
            left_history = mine if state.captures else []  # unless all was forgotten
            known = dict.fromkeys(row for row in (*state.history, *left_history) if row.features == features)
            made.append(row_of(capture, known))
            return add(
                state,
                made[-1],
                history_rows=settings.history_rows,
                half_life=settings.half_life,
                folder=self._folder,
            )

        try:
            self._file(capture.encoder).update(change)
        except OSError as error:
            raise OSError(f"nothing is learned: cannot write {self._folder} ({error.strerror or error})") from error
        self._of_this_source = (capture.encoder, [*mine, made[-1]])

    def state(self, encoder: str) -> State:
        """What was learned of an encoder."""
        return self._file(encoder).read()

    def states(self) -> list[LearnedState]:
        return [self._summary(*where) for where in state_folders(self._folder)]

    def captures(self, predictor_version: str, encoder: str) -> list[LearnedCapture]:
        history = self._file(encoder, predictor_version).read().history
        return [row.for_people() for row in history]

    def terms(self, predictor_version: str, encoder: str, preset: str | None) -> list[LearnedTerm]:
        state = self._file(encoder, predictor_version).read()
        if not state.captures:
            return []
        settings = self._settings.of(encoder, preset)
        learned = fit(state, preset, settings.ridge_lambda, settings.half_life)
        names = (*COLUMNS, "level of this preset", "slope of this preset")
        each = zip(names, learned.weights.tolist(), np.sqrt(learned.covariance.diagonal()).tolist(), strict=True)
        terms = [LearnedTerm(name=name, weight=weight, deviation=deviation) for name, weight, deviation in each]
        return sorted(terms, key=lambda term: -abs(term.weight))

    def reset(self, predictor_version: str, encoder: str) -> None:
        self._file(encoder, predictor_version).remove()

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        state = self._file(encoder, predictor_version).read()
        content: dict[str, Any] = msgspec.to_builtins(anonymous(state))
        return content

    def take_in(self, predictor_version: str, encoder: str, content: dict[str, Any], bundle: str) -> int:
        try:
            theirs = msgspec.json.decode(msgspec.json.encode(content), type=State)  # NaN is no JSON
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error
        if wrong := problem(theirs, predictor_version):
            raise ValueError(f"it {wrong}")
        taken = 0

        def change(state: State) -> State:
            nonlocal taken
            if bundle in state.imported:
                return state
            taken = theirs.captures
            rows = self._settings.of(encoder, None).history_rows
            return merged(state, theirs, history_rows=rows, bundle=bundle, folder=self._folder)

        self._file(encoder, predictor_version).update(change)
        return taken

    def _summary(self, predictor_version: str, encoder: str) -> LearnedState:
        file = self._file(encoder, predictor_version)
        state, settings = file.read(), self._settings.of(encoder, None)
        found = health(state.history, settings.drift_window, settings.drift_threshold)
        return LearnedState(
            predictor_version=predictor_version,
            encoder=encoder,
            captures=state.captures,
            sources=state.sources,
            absurd=sum(s.absurd for s in state.presets.values()),
            presets={name: s.captures for name, s in state.presets.items()},
            status=found.status,
            ratio=found.ratio,
            rms_before=found.rms_before,
            rms_after=found.rms_after,
            window=found.window,
            last_unix_seconds=state.history[-1].timestamp if state.history else None,
            size_bytes=file.path.stat().st_size if file.path.exists() else 0,
        )

    def _file(self, encoder: str, predictor_version: str | None = None) -> StateFile[State]:
        return state_file(self._folder, predictor_version or self._version, encoder, self._warn)


def _note(found: Health) -> str | None:
    if found.status != "drifting":
        return None
    return (
        f"what is left after correction is {found.ratio:.1f} times what the model's card lets expect (last {found.window} "
        "scores): train a predictor on your own corpus (vmaf-tune train predictor), or vmaf-tune sidecar reset"
    )

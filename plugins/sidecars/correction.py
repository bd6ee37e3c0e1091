"""What a correction does with its state, whatever it makes of it: learn durably, show, forget, hand on and take in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Protocol

import msgspec
from vmaftune_plugins.sidecars.drift import Health, health
from vmaftune_plugins.sidecars.history import HistoryRow, packed_features, row_of
from vmaftune_plugins.sidecars.learned import AnyLearned, anonymous
from vmaftune_plugins.sidecars.settings import InForce
from vmaftune_plugins.sidecars.statefile import StateFile, state_folders

from vmaftune.types import Capture, LearnedCapture, LearnedState


class SettingsByPlace(Protocol):
    """Settings of a correction."""

    def of(self, encoder: str, preset: str | None) -> InForce: ...


class HostCorrection(ABC, Generic[AnyLearned]):
    """A correction that learns on this host, without what it learns.

    Args:
        settings: what is in force for each encoder and preset.
        folder: ``<cache>/vmaf-tune/<correction>``.
        predictor_version: state of another version is left alone.
        warn: shows one line.
    """

    def __init__(
        self, settings: SettingsByPlace, folder: Path, predictor_version: str, warn: Callable[[str], None]
    ) -> None:
        self._settings, self._folder = settings, folder
        self._version, self._warn = predictor_version, warn
        self._of_this_source: tuple[str, list[HistoryRow]] = ("", [])

    @abstractmethod
    def _file(self, encoder: str, predictor_version: str | None = None) -> StateFile[AnyLearned]:
        """Where the state of an encoder is kept; None stands for the predictor in use."""

    @abstractmethod
    def _added(self, state: AnyLearned, row: HistoryRow, settings: Any) -> AnyLearned:
        """The state with one capture more."""

    @abstractmethod
    def _merged(self, state: AnyLearned, theirs: AnyLearned, settings: Any, bundle: str) -> AnyLearned:
        """The state with that of another host, which came in ``bundle``."""

    def learn(self, capture: Capture) -> None:
        """Add one capture to the state of its encoder, durably."""
        settings = self._settings.of(capture.encoder, capture.preset)
        if not settings.enabled:
            return
        features = packed_features(capture.features)
        encoder, mine = self._of_this_source
        mine = [row for row in mine if encoder == capture.encoder and row.features == features]
        made: list[HistoryRow] = []

        def change(state: AnyLearned) -> AnyLearned:
            # What this process learned of the source may have left the history meanwhile.
            left_history = mine if state.captures else []  # unless all was forgotten
            known = dict.fromkeys(row for row in (*state.history, *left_history) if row.features == features)
            made.append(row_of(capture, known))
            return self._added(state, made[-1], settings)

        try:
            self._file(capture.encoder).update(change)
        except OSError as error:
            raise OSError(f"nothing is learned: cannot write {self._folder} ({error.strerror or error})") from error
        self._of_this_source = (capture.encoder, [*mine, made[-1]])

    def state(self, encoder: str) -> AnyLearned:
        """What was learned of an encoder."""
        return self._file(encoder).read()

    def states(self) -> list[LearnedState]:
        return [self._summary(*where) for where in state_folders(self._folder)]

    def captures(self, predictor_version: str, encoder: str) -> list[LearnedCapture]:
        history = self._file(encoder, predictor_version).read().history
        return [row.for_people() for row in history]

    def reset(self, predictor_version: str, encoder: str) -> None:
        self._file(encoder, predictor_version).remove()

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        state = self._file(encoder, predictor_version).read()
        content: dict[str, Any] = msgspec.to_builtins(anonymous(state))
        return content

    def take_in(self, predictor_version: str, encoder: str, content: dict[str, Any], bundle: str) -> int:
        file = self._file(encoder, predictor_version)
        theirs = file.checked(msgspec.json.encode(content))  # NaN is no JSON
        taken = 0

        def change(state: AnyLearned) -> AnyLearned:
            nonlocal taken
            if bundle in state.imported:
                return state
            taken = theirs.captures
            return self._merged(state, theirs, self._settings.of(encoder, None), bundle)

        file.update(change)
        return taken

    def _note(self, state: AnyLearned, settings: InForce) -> str | None:
        """What a person should know where a correction no longer fits."""
        found = self._health(state, settings)
        if found.status != "drifting":
            return None
        return (
            f"what is left after correction is {found.ratio:.1f} times what the model's card lets expect (last {found.window} "
            "scores): train a predictor on your own corpus (vmaf-tune train predictor), or vmaf-tune sidecar reset"
        )

    def _health(self, state: AnyLearned, settings: InForce) -> Health:
        return health(state.history, settings.drift_window, settings.drift_threshold)

    def _summary(self, predictor_version: str, encoder: str) -> LearnedState:
        file = self._file(encoder, predictor_version)
        state = file.read()
        found = self._health(state, self._settings.of(encoder, None))
        return LearnedState(
            predictor_version=predictor_version,
            encoder=encoder,
            captures=state.captures,
            sources=state.sources,
            absurd=sum(tally.absurd for tally in state.presets.values()),
            presets={name: tally.captures for name, tally in state.presets.items()},
            status=found.status,
            ratio=found.ratio,
            rms_before=found.rms_before,
            rms_after=found.rms_after,
            window=found.window,
            last_unix_seconds=state.history[-1].timestamp if state.history else None,
            size_bytes=file.path.stat().st_size if file.path.exists() else 0,
        )

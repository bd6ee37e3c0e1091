"""What a correction does with its state, whatever it makes of it: learn durably, show, forget, hand on and take in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Protocol

import msgspec
from vmaftune_plugins.sidecars.drift import Health, health
from vmaftune_plugins.sidecars.history import identities, row_of
from vmaftune_plugins.sidecars.learned import AnyLearned, anonymous, check_times, with_captures
from vmaftune_plugins.sidecars.settings import InForce
from vmaftune_plugins.sidecars.statefile import StateFile, state_folders

from vmaftune.contract import Capture, LearnedCapture, LearnedState


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
        grain: how large a difference in score is as large as one VMAF.
    """

    def __init__(
        self,
        settings: SettingsByPlace,
        folder: Path,
        predictor_version: str,
        warn: Callable[[str], None],
        grain: float = 1.0,
    ) -> None:
        self._settings, self._folder = settings, folder
        self._version, self._warn, self._grain = predictor_version, warn, grain

    @abstractmethod
    def _file(self, encoder: str, predictor_version: str | None = None) -> StateFile[AnyLearned]:
        """Where the state of an encoder is kept; None stands for the predictor in use."""

    def learn(self, capture: Capture) -> None:
        """Add one capture to the state of its encoder, durably; one that is known adds nothing."""
        settings = self._settings.of(capture.encoder, capture.preset)
        if not settings.enabled:
            return
        try:
            self._file(capture.encoder).update(
                lambda state: with_captures(state, [row_of(capture, state.grain)], settings.history_rows, self._folder)
            )
        except OSError as error:
            raise OSError(f"nothing is learned: cannot write {self._folder} ({error.strerror or error})") from error

    def state(self, encoder: str) -> AnyLearned:
        """What was learned of an encoder."""
        return self._file(encoder).read()

    def states(self) -> list[LearnedState]:
        return [self._summary(*where) for where in state_folders(self._folder)]

    def captures(self, predictor_version: str, encoder: str) -> list[LearnedCapture]:
        state = self._file(encoder, predictor_version).read()
        return [row.for_people(state.grain) for row in state.history]

    def reset(self, predictor_version: str, encoder: str) -> None:
        self._file(encoder, predictor_version).remove()

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        state = self._file(encoder, predictor_version).read()
        content: dict[str, Any] = msgspec.to_builtins(anonymous(state))
        return content

    def take_in(self, predictor_version: str, encoder: str, content: dict[str, Any], bundle: str) -> int:
        file = self._file(encoder, predictor_version)
        theirs = file.checked(msgspec.json.encode(content))  # NaN is no JSON
        check_times([row[-1] for row in content.get("history", [])])
        most, taken = self._settings.of(encoder, None).history_rows, 0

        def change(state: AnyLearned) -> AnyLearned:
            nonlocal taken
            if not state.history:
                state = msgspec.structs.replace(state, grain=theirs.grain)
            rows = [row.in_grains(theirs.grain / state.grain) for row in theirs.history]
            both = with_captures(state, rows, most, self._folder)
            taken = len({*identities(both.history)} - {*identities(state.history)})
            return both if taken else state

        file.update(change)
        return taken

    def _grain_of(self, predictor_version: str) -> float:
        """Of a state with nothing learned; that of another scale says itself what its grain is."""
        return self._grain if predictor_version == self._version else 1.0

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
            absurd=sum(row.absurd for row in state.history),
            presets=dict(Counter(row.preset or "" for row in state.history)),
            status=found.status,
            ratio=found.ratio,
            rms_before=None if found.rms_before is None else found.rms_before * state.grain,
            rms_after=None if found.rms_after is None else found.rms_after * state.grain,
            window=found.window,
            last_unix_seconds=state.history[-1].timestamp if state.history else None,
            size_bytes=file.path.stat().st_size if file.path.exists() else 0,
        )

"""A learner that trains nothing and remembers what it was given, so that tests can count it. Imports no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.contract.learner import LearnerStatistics, Published, Sample
from vmaftune.state import atomic

SNAPSHOT = "counting.json"


class Held(msgspec.Struct):
    """Its snapshot: every id in the order it came, and the steps."""

    ids: list[str] = []
    steps: int = 0


class CountingLearner:
    """Steps take ``step_seconds``; with ``fails``, each raises."""

    def __init__(
        self, folder: Path, step_seconds: float = 0.0, *, fails: bool = False, restore_seconds: float = 0.0
    ) -> None:
        self._file, self._step_seconds, self._fails = folder / SNAPSHOT, step_seconds, fails
        self._restore_seconds = restore_seconds
        self._lock = threading.Lock()
        self._held = Held()
        self._trained: float | None = None

    def ingest(self, samples: Sequence[Sample]) -> None:
        with self._lock:
            self._held.ids.extend(sample.id for sample in samples)

    def train(self) -> bool:
        if self._held.steps >= len(self._held.ids):
            return False
        time.sleep(self._step_seconds)
        if self._fails:
            raise RuntimeError("the weights are no numbers any more")
        self._held.steps += 1
        self._trained = time.time()
        return True

    def checkpoint(self, unix_seconds: float, *, force: bool = False) -> Published | None:
        return Published(version="counting-1", stable=True, reasons=()) if force else None

    def snapshot(self) -> None:
        with self._lock:
            content = msgspec.json.encode(self._held)
        atomic.write(self._file, content)

    def restore(self) -> int:
        time.sleep(self._restore_seconds)
        if self._file.exists():
            self._held = held_in(self._file.parent)
        return len(self._held.ids)

    def statistics(self) -> LearnerStatistics:
        taken = len(self._held.ids)
        return LearnerStatistics(
            step=self._held.steps,
            taken=taken,
            buffered=min(taken, 10_000),
            loss=None,
            trained_unix_seconds=self._trained,
            since_checkpoint=taken,
            buffer_bytes=0,
        )


def held_in(folder: Path) -> Held:
    """What the last snapshot holds."""
    return msgspec.json.decode((folder / SNAPSHOT).read_bytes(), type=Held)

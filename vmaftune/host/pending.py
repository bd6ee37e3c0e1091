"""Captures that were scored and are not learned yet: kept beside their score, so that no kill parts the two.

A score that is in the cache is never made again. Were it kept first and learned afterwards, a run that is killed in between
would lose its capture for good. So what each learner is to learn of it is written in one transaction with the score, and
removed when it was learned. Rows name their owner, a run that holds a lock file beside the cache; the system frees that when
the run dies, however it dies, and the next run whose learners are the same learns what it finds.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from vmaftune.contract.captures import Capture
from vmaftune.contract.plugins import Correction, Trainer
from vmaftune.state.store import Store

KIND = "pending"
"""Of the store's records."""

_FOLDER = "pending"


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A capture, and the correction or trainer that was on: its name, and the version that its state is kept by."""

    learner: str
    version: str
    capture: Capture


def _nothing() -> None:
    """What there is to do when a capture was learned that was noted nowhere."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A capture on its way to one correction or trainer, and what is to be called when it was learned."""

    name: str
    learner: Correction | Trainer
    capture: Capture
    learned: Callable[[], None] = _nothing


class PendingCaptures:
    """Those of one run. Where the store is not kept, or no lock can be had, nothing is.

    Args:
        store: the one that scores are kept in.
        folder: of the cache; lock files go to a folder below it.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder / _FOLDER
        self._owner = uuid.uuid4().hex
        self._lock: FileLock | None = None
        self._last = 0

    def ready(self) -> bool:
        """Whether captures can be noted; the lock is taken for the first one."""
        if self._lock is None and self._store.lasting:
            lock = self._lock_of(self._owner)
            with contextlib.suppress(OSError, Timeout):
                self._folder.mkdir(parents=True, exist_ok=True)
                lock.acquire(blocking=False)
                self._lock = lock
        return self._lock is not None and self._store.lasting

    def noted(self, lesson: Lesson, version: str) -> Lesson:
        """Keep what is to be learned until it was.

        Args:
            version: that the learner keeps what it learned by.
        """
        self._last += 1
        row = _Row(learner=lesson.name, version=version, capture=lesson.capture)
        self._store.put(KIND, self._owner, row, part=self._last)
        return replace(lesson, learned=self._forget(self._owner, self._last))

    def take(self, learner: str, version: str) -> Iterator[tuple[Capture, Callable[[], None]]]:
        """What runs that are dead left for a learner, each with what is to be called when it was learned. No other run is given
        the same meanwhile."""
        for owner in self._store.keys(KIND):
            if owner == self._owner:
                continue
            lock = self._lock_of(owner)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                lock.acquire(blocking=False)
            except (OSError, Timeout):  # it lives, or another run looks after it
                continue
            try:
                for part, row in self._store.family(KIND, owner, _Row).items():
                    if (row.learner, row.version) == (learner, version):
                        yield row.capture, self._forget(owner, part)
                if not self._store.family(KIND, owner, _Row):
                    Path(lock.lock_file).unlink(missing_ok=True)
            finally:
                lock.release()

    def close(self) -> None:
        """The run is over; what was not learned is left to the next one."""
        if self._lock is not None:
            if not self._store.family(KIND, self._owner, _Row):
                Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def _forget(self, owner: str, part: float) -> Callable[[], None]:
        return lambda: self._store.remove(KIND, owner, part)

    def _lock_of(self, owner: str) -> FileLock:
        return FileLock(self._folder / f"{owner}.lock")

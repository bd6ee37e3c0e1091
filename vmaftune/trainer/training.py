"""The one thread that trains: steps, checkpoints and snapshots, so long as there is something new."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec

from vmaftune.contract.learner import Learner, Published
from vmaftune.trainer.log import Log, described

_IDLE_SECONDS = 1.0
_LONGEST_BACK_OFF_SECONDS = 30.0
_LATENCIES_KEPT = 1000


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often what was learned is kept.

    Attributes:
        look_seconds: how often it is looked whether a checkpoint or a snapshot is due.
        snapshot_seconds, snapshot_samples: a snapshot is made after either, if there is something new.
        retry_seconds: how long neither is tried again after one of them failed.
    """

    look_seconds: float = 1.0
    snapshot_seconds: float = 60.0
    snapshot_samples: int = 50_000
    retry_seconds: float = 30.0


class Training(threading.Thread):
    """Trains until it is stopped, then makes a snapshot. What a learner raises is logged, and training goes on.

    Args:
        unix_seconds: the time that checkpoints are given.
        covered: told how many samples the snapshot that was just made holds.
    """

    def __init__(
        self,
        learner: Learner,
        log: Log,
        unix_seconds: Callable[[], float],
        covered: Callable[[int], None],
        pace: Pace,
    ) -> None:
        super().__init__(name="training", daemon=True)
        self._learner, self._log, self._pace = learner, log, pace
        self._unix_seconds, self._covered = unix_seconds, covered
        self._wake = threading.Event()
        self._stopping = False
        self._lock = threading.Lock()  # of what ingesting and training both change
        self._given = self._reached = 0  # samples since the start: given to the learner, and trained on
        self._untrained: deque[tuple[int, float]] = deque()  # value of _given after a group, and when it had come
        self._snapshot_taken = 0
        self._snapshot_at = time.monotonic()
        self._keep_at = 0.0
        self._failures = 0
        self.latencies: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self.errors = 0
        self.last_error = ""
        self.published: Published | None = None

    def ingested(self, count: int, arrived: float) -> None:
        """The learner was given new samples, the first of which came at ``arrived`` on the monotonic clock."""
        with self._lock:
            self._given += count
            if len(self._untrained) < _LATENCIES_KEPT:
                self._untrained.append((self._given, arrived))
        self._wake.set()

    def stop(self) -> None:
        """End after this step, with a snapshot."""
        self._stopping = True
        self._wake.set()

    def run(self) -> None:
        self._snapshot_taken = self._learner.statistics().taken
        while not self._stopping:
            trained = self._guarded("training failed", self._train)
            if trained is None:
                self._failures += 1
                self._rest(min(0.1 * 2.0 ** min(self._failures, 10), _LONGEST_BACK_OFF_SECONDS))
            elif not trained and not self._stopping:
                self._wake.wait(_IDLE_SECONDS)
            self._wake.clear()
            self._keep_if_due()
        self._guarded("snapshot failed", self._snapshot)

    def _keep_if_due(self) -> None:
        now = time.monotonic()
        if now >= self._keep_at:
            published = self._guarded("checkpoint failed", self._checkpoint)
            # A snapshot knows when the checkpoint was made: after a kill, the next one waits for its time too.
            snapshot = self._guarded("snapshot failed", self._snapshot if published else self._if_due)
            failed = published is None or snapshot is None
            self._keep_at = now + (self._pace.retry_seconds if failed else self._pace.look_seconds)

    def _train(self) -> bool:
        """One step, if the learner finds something to train on; whether it was made."""
        with self._lock:
            given = self._given
        trained = self._learner.train()
        now = time.monotonic()
        with self._lock:  # a step is worth a sample, and without one there is nothing that was not trained on
            self._reached = self._reached + 1 if trained else given
            while self._untrained and self._untrained[0][0] <= self._reached:
                self.latencies.append(now - self._untrained.popleft()[1])
        self._failures = 0
        return trained

    def _checkpoint(self) -> bool:
        published = self._learner.checkpoint(self._unix_seconds())
        if published is not None:
            self.published = published
            self._log("checkpoint", **msgspec.structs.asdict(published))
        return published is not None

    def _if_due(self) -> bool:
        new = self._learner.statistics().taken - self._snapshot_taken
        late = time.monotonic() - self._snapshot_at >= self._pace.snapshot_seconds
        return self._snapshot() if new and (late or new >= self._pace.snapshot_samples) else False

    def _snapshot(self) -> bool:
        self._snapshot_at = time.monotonic()
        taken = self._learner.statistics().taken  # of before: what comes in meanwhile may not be in it
        self._learner.snapshot()
        self._snapshot_taken = taken
        self._covered(taken)
        return True

    def _guarded(self, what: str, call: Callable[[], bool]) -> bool | None:
        """What ``call`` returns; None where it failed."""
        try:
            return call()
        except Exception as error:
            self.errors += 1
            self.last_error = f"{what}: {described(error)}"
            self._log.error(what, error)
            return None

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.05)

"""The way a sample takes: into the spool, then to the learner. Groups of samples share one wait for the disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from vmaftune.contract.learner import Learner, Sample
from vmaftune.trainer.log import Log
from vmaftune.trainer.spool import Spool

_REPLAYED_AT_ONCE = 1000
_LARGEST_GROUP = 8192
"""Samples that share one wait: more do not make it cheaper, and their senders wait for it."""


class Intake:
    """Keeps samples. From any thread.

    Args:
        ingested: told how many new ones the learner was given, and when they had come, on the monotonic clock.
    """

    def __init__(self, spool: Spool, learner: Learner, log: Log, ingested: Callable[[int, float], None]) -> None:
        self._spool, self._learner, self._log, self._ingested = spool, learner, log, ingested
        self._lock = threading.Lock()

    def recover(self) -> int:
        """Give the learner what came after its last snapshot; how many samples that were.

        Raises:
            OSError: spool or snapshot cannot be read.
        """
        replayed = 0
        chunk: list[Sample] = []
        for sample in self._spool.samples(self._learner.restore()):
            chunk.append(sample)
            if len(chunk) == _REPLAYED_AT_ONCE:
                self._learner.ingest(chunk)
                replayed += len(chunk)
                chunk = []
        if chunk:
            self._learner.ingest(chunk)
        held = self._learner.statistics().taken
        if held != self._spool.taken:  # one of the two was lost or damaged
            self._learner.snapshot()
            self._spool.renumber(held)
        return replayed + len(chunk)

    def keep(self, samples: Sequence[Sample], arrived: float | None = None) -> None:
        """Take samples in. They are durable on return, and the learner has them.

        Raises:
            OSError: they could not be written; none of them was taken.
        """
        with self._lock:
            fresh = self._spool.append(samples)
            if not fresh:
                return
            try:
                self._learner.ingest(fresh)
            except Exception as error:  # they are kept, and the next start gives them to the learner again
                self._log.error("ingest failed", error, samples=len(fresh))
        self._ingested(len(fresh), time.monotonic() if arrived is None else arrived)

    def covered(self, taken: int) -> None:
        """The learner's snapshot holds the first ``taken`` samples."""
        with self._lock:
            self._spool.covered(taken)

    def close(self) -> None:
        """Close the spool, when whoever is keeping samples is done."""
        with self._lock:
            self._spool.close()


class Group:
    """Samples of one connection, and what is to be called when they are kept or could not be. ``arrived`` is monotonic."""

    def __init__(self, samples: Sequence[Sample], done: Callable[[OSError | None], None]) -> None:
        self.samples, self.done, self.arrived = samples, done, time.monotonic()


class Committer(threading.Thread):
    """Keeps the groups that wait, all of them in one go. ``done`` of each is called from this thread, in their order."""

    def __init__(self, intake: Intake) -> None:
        super().__init__(name="commit", daemon=True)
        self._intake = intake
        self._waiting: deque[Group] = deque()
        self._wake = threading.Event()
        self._closing = False

    def submit(self, group: Group) -> None:
        """Never blocks."""
        self._waiting.append(group)
        self._wake.set()

    def close(self) -> None:
        """End when all that was submitted is kept."""
        self._closing = True
        self._wake.set()

    def run(self) -> None:
        while self._waiting or not self._closing:
            self._wake.wait()
            self._wake.clear()
            while groups := self._taken():
                self._keep(groups)

    def _taken(self) -> list[Group]:
        groups: list[Group] = []
        count = 0
        while self._waiting and count < _LARGEST_GROUP:
            groups.append(self._waiting.popleft())
            count += len(groups[-1].samples)
        return groups

    def _keep(self, groups: list[Group]) -> None:
        failed: OSError | None = None
        try:
            samples = [sample for group in groups for sample in group.samples]
            if samples:
                self._intake.keep(samples, groups[0].arrived)
        except OSError as error:
            failed = error
        except Exception as error:  # a fault of ours: it must not leave senders without an answer
            failed = OSError(f"{type(error).__name__}: {error}")
        for group in groups:
            group.done(failed)

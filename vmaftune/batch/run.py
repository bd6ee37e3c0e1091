"""Working off a queue: claims rows, has an executor do them, and writes each result once."""

from __future__ import annotations

import os
import queue as queues
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Any

import msgspec

from vmaftune.batch.estimate import work_of
from vmaftune.batch.executors import Executor
from vmaftune.batch.messages import Job, Result, Step, WorkerLost
from vmaftune.batch.perform import failure
from vmaftune.batch.plan import OF_THE_RUN
from vmaftune.batch.queue import Queue, Row
from vmaftune.errors import VmafTuneError
from vmaftune.media.facts import shown
from vmaftune.quality.metric import Metric
from vmaftune.quality.vmaf import VMAF

_LOOK_SECONDS = 0.2
_RECOVER_SECONDS = 5.0
_TELL_SECONDS = 1.0
_OUR_FAILURE, _USER_MISTAKE = 1, 2


class BatchObserver:
    """Told how a batch goes, from the thread that it runs in; this one does nothing with it."""

    def began(self, row: Row) -> None:
        """A job begins."""

    def step(self, row: Row, step: Step) -> None:
        """A running job has come so far, or has something to say."""

    def ended(self, row: Row, result: Result) -> None:
        """A job ended, and its result is in the queue."""

    def again(self, row: Row, reason: str) -> None:
        """A job's process died; it is queued again."""

    def waiting(self, jobs: int, work: float) -> None:
        """So many jobs wait, of so much work."""


def run_batch(
    queue: Queue,
    executor: Executor,
    observer: BatchObserver,
    *,
    ids: Sequence[int] | None,
    host: Mapping[str, Any],
    overwrite: bool = False,
    said: Collection[str] = (),
    learn: Callable[[Row, Result], None] = lambda row, result: None,
    metrics: Mapping[str, Metric] = {VMAF.name: VMAF},
) -> None:
    """Do all queued rows. When that is interrupted, running jobs are ended and their rows go back to the queue.

    Args:
        ids: only these rows; None: all.
        host: options of the run (vmaftune.batch.plan.OF_THE_RUN).
        overwrite: outputs may be there already.
        said: warnings that hold for all files, so that they are not told of each.
        learn: handed results once they are recorded, for captures to be learned from.
        metrics: those that there are, by name, from which the work of a row is known before it is done.

    Raises:
        VmafTuneError: the queue cannot be written.
    """
    _Run(queue, executor, observer, ids, host, overwrite, said, learn, metrics).run()


class _Run:
    def __init__(
        self,
        queue: Queue,
        executor: Executor,
        observer: BatchObserver,
        ids: Sequence[int] | None,
        host: Mapping[str, Any],
        overwrite: bool,
        said: Collection[str],
        learn: Callable[[Row, Result], None],
        metrics: Mapping[str, Metric],
    ) -> None:
        self._queue, self._executor, self._observer, self._ids = queue, executor, observer, ids
        self._host, self._overwrite, self._said, self._learn = host, overwrite, said, learn
        self._metrics = metrics
        self._deaths: dict[int, str] = {}
        self._running: dict[Future[Result], Row] = {}
        self._steps: queues.SimpleQueue[tuple[Row, Step]] = queues.SimpleQueue()
        self._recovered_at = self._told_at = 0.0

    def run(self) -> None:
        while True:
            self._begin()
            if not self._running:
                return
            done = wait(self._running, timeout=0, return_when=FIRST_COMPLETED).done
            if not done and not self._look():
                done = wait(self._running, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED).done
            while not self._steps.empty():
                row, step = self._steps.get()
                if step.warning is None or step.warning not in self._said:
                    self._observer.step(row, step)
            for future in done:
                self._ended(self._running.pop(future), future)

    def _begin(self) -> None:
        """Claim and begin as much as the executor can use."""
        if time.monotonic() - self._recovered_at > _RECOVER_SECONDS:
            self._recovered_at = time.monotonic()
            self._queue.recover()
        began = False
        while len(self._running) < self._executor.slots and (row := self._queue.claim(self._ids)) is not None:
            began = True
            row = self._looked_at(row)
            self._observer.began(row)
            job = Job(
                file=row.file,
                output=row.output,
                # A row says what to make, never what runs here, whatever stands in the file of the queue.
                options={**{k: v for k, v in row.options.items() if k not in OF_THE_RUN}, **self._host},
                replace=self._overwrite or row.begun,
            )
            if (problem := self._made_ready(row)) is not None:
                self._record(row, problem)
                continue
            self._running[self._executor.submit(job, partial(self._told, row))] = row
        if began:
            self._tell_of_waiting()

    def _told(self, row: Row, step: Step) -> None:
        """From any thread."""
        self._steps.put((row, step))

    def _made_ready(self, row: Row) -> Result | None:
        """Make the folder of the output, and note when the output is not there yet; what is wrong where that cannot be."""
        output = row.output_path
        if output is None:
            return None
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            free = self._overwrite or not os.path.lexists(output)
        except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
            reason = getattr(error, "strerror", None) or error
            return Result(code=_USER_MISTAKE, reason=f"cannot make the folder {shown(output.parent)}: {reason}")
        if free:
            self._queue.begin(row.id)
        return None

    def _look(self) -> bool:
        """Find out the work of one row that waits; whether there was one."""
        row = self._queue.unknown_work()
        if row is None:
            return False
        self._looked_at(row)
        if time.monotonic() - self._told_at > _TELL_SECONDS:
            self._tell_of_waiting()
        return True

    def _looked_at(self, row: Row) -> Row:
        if row.work is not None:
            return row
        work = work_of(row.path, row.options, self._metrics, encode=row.output is not None)
        self._queue.set_work(row.id, work)
        return msgspec.structs.replace(row, work=work)

    def _tell_of_waiting(self) -> None:
        """Of rows that nobody looked at yet, take the mean of those that somebody did."""
        self._told_at = time.monotonic()
        jobs, work, known = self._queue.left(self._ids)
        self._observer.waiting(jobs, work * jobs / known if known else 0.0)

    def _ended(self, row: Row, future: Future[Result]) -> None:
        try:
            result = future.result()
        except WorkerLost as error:
            reason = str(error)
            if self._queue.lost(row.id, reason):
                self._deaths[row.id] = f"{reason}; it was begun again"
                self._observer.again(row, reason)
            else:
                self._observer.ended(row, Result(code=_OUR_FAILURE, reason=reason))
            return
        except VmafTuneError:  # the cluster is gone
            raise
        except Exception as error:  # whatever else comes of one file ends no batch
            result = failure(error)
        self._record(row, result)

    def _record(self, row: Row, result: Result) -> None:
        death = [self._deaths[row.id]] if row.id in self._deaths else []
        own = [line for line in result.warnings if line not in self._said]
        result = msgspec.structs.replace(result, warnings=[*death, *own])
        if self._queue.end(row.id, result):
            self._observer.ended(row, result)
            self._learn(row, result)  # after it is recorded: a kill in between loses captures, but none counts twice

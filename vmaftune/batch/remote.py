"""What a worker of the cluster does with a job: has a child process do it, so that a crash costs only that job.

Children are kept from job to job by the worker, and end with it, or when they have been idle for a while.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import get_worker

from vmaftune.batch.away import Away, unpack
from vmaftune.batch.child import Child
from vmaftune.batch.executors import with_threads
from vmaftune.batch.messages import Result, Step, WorkerLost
from vmaftune.json_text import decoded, encoded
from vmaftune.state.workspace import workspace

_LOOK_SECONDS = 0.5
_TELL_SECONDS = 1.0


def perform_away(content: bytes, samples: list[bytes]) -> bytes:
    """Do a packed job to its end, and give back its result.

    Args:
        content: an Away.
        samples: files of the source's samples, none where the source is within reach.
    """
    away = decoded(content, Away)
    worker = get_worker()
    key = worker.get_current_task()
    with workspace() as folder:
        job = unpack(away, samples, folder)
        job = with_threads(job, max(1, away.threads.get(worker.ip, worker.state.nthreads)))
        child = _child(worker)
        try:
            with _watched(worker, key, child):
                result = child.perform(job, _throttled(lambda step: _tell(worker, away.topic, key, step)))
        except WorkerLost as error:
            child.end()
            child.close()
            result = Result(code=-1, reason=str(error))
        else:
            _idle(worker).append(child)
    return encoded(result)


def _child(worker: Any) -> Child:
    idle = _idle(worker)
    with contextlib.suppress(IndexError):  # other threads of the worker take from it too
        while True:
            child = idle.pop()
            if child.alive:
                return child
            child.close()
    return Child(Path(worker.local_directory))  # a folder without a configuration file of somebody's


def _idle(worker: Any) -> list[Child]:
    children: list[Child] = worker.__dict__.setdefault("vmaf_tune_children", [])
    return children


@contextmanager
def _watched(worker: Any, key: str, child: Child) -> Iterator[None]:
    """Ends the child when nobody waits for the job any more: the batch was interrupted, or is dead."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                child.end()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _tell(worker: Any, topic: str, key: str, step: Step) -> None:
    worker.log_event(topic, {"key": key, "step": encoded(step).decode()})


def _throttled(tell: Callable[[Step], None]) -> Callable[[Step], None]:
    """All steps go through one scheduler: it hears of each job about once a second."""
    told_at = -_TELL_SECONDS

    def tell_at_times(step: Step) -> None:
        nonlocal told_at
        if step.warning is not None or time.monotonic() - told_at >= _TELL_SECONDS:
            told_at = time.monotonic()
            tell(step)

    return tell_at_times

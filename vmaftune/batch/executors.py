"""Who does the jobs: child processes of this one, or anything else with the same two methods."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

import msgspec

from vmaftune.batch.child import Child
from vmaftune.batch.messages import Job, Result, Step, WorkerLost
from vmaftune.undisturbed import Pool


class Executor(Protocol):
    """Does jobs at a time; like concurrent.futures.Executor for one kind of call."""

    @property
    def slots(self) -> int:
        """How many jobs it can use now."""

    def submit(self, job: Job, tell: Callable[[Step], None]) -> Future[Result]:
        """Begin a job. The future raises WorkerLost where its process or machine is gone.

        Args:
            tell: told of steps, from any thread.
        """

    def close(self) -> None:
        """End all jobs that run, and whatever does them."""


class LocalExecutor:
    """Child processes of this one, kept from job to job. A crash costs the job that it happens in.

    Libvmaf's threads are shared out between the jobs, since it is most of the work. Those of encoders are left as they are:
    x264 and x265 give other bits with another number, and results must not depend on how many jobs ran.

    Args:
        jobs: at a time.
    """

    def __init__(self, jobs: int) -> None:
        self.slots = jobs
        self._pool = Pool(jobs, thread_name_prefix="batch")
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._children: set[Child] = set()
        self._closing = False

    def submit(self, job: Job, tell: Callable[[Step], None]) -> Future[Result]:
        """As of Executor."""
        return self._pool.submit(self._do, with_threads(job, self.slots), tell)

    def close(self) -> None:
        """As of Executor."""
        with self._lock:
            self._closing = True
            children = list(self._children)
        for child in children:
            child.ask_to_end()
        for child in children:
            child.end()
        self._pool.shutdown(cancel_futures=True)
        for child in children:
            child.close()

    def _do(self, job: Job, tell: Callable[[Step], None]) -> Result:
        child = self._child()
        try:
            result = child.perform(job, tell)
        except BaseException:
            child.end()
            with self._lock:
                self._children.discard(child)
            child.close()
            raise
        with self._lock:
            self._idle.append(child)
        return result

    def _child(self) -> Child:
        with self._lock:
            if self._closing:
                raise WorkerLost("the batch was ended")
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
                self._children.discard(child)
                child.close()
            child = Child()
            self._children.add(child)
            return child


def with_threads(job: Job, jobs: int) -> Job:
    """The job with libvmaf's threads for one of so many at a time, unless it says how many itself."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    options = {"vmaf_threads": -(-available // jobs), **job.options}
    return msgspec.structs.replace(job, options=options)

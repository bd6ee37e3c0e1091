"""Jobs on a cluster of Dask distributed, which begins those of a lost worker again on another."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from vmaftune.batch.away import Packer
from vmaftune.batch.messages import Job, Result, Step, WorkerLost
from vmaftune.batch.perform import failure
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.extras import install_command
from vmaftune.json_text import decoded, encoded
from vmaftune.state.workspace import workspace
from vmaftune.undisturbed import Pool

_CONNECT_SECONDS = 15.0
_LOOK_SECONDS = 5.0
_PACKED_AT_ONCE = 4


class ClusterExecutor:
    """An Executor whose jobs run on the workers of a Dask scheduler, one in each of their threads.

    Args:
        address: of the scheduler, such as ``tcp://host:8786``.
        packer: says what goes with a job.
        jobs: at a time; None: as many as the cluster has threads.

    Raises:
        UserError: Dask is not installed, or there is no scheduler, no worker, or no vmaf-tune on a worker.
    """

    def __init__(self, address: str, packer: Packer, jobs: int | None) -> None:
        self._packer, self._jobs = packer, jobs
        self._client = _client(address)
        self._address = address
        self._topic = f"vmaf-tune-{uuid.uuid4().hex}"
        self._tells: dict[str, Callable[[Step], None]] = {}
        self._sent: dict[str, Any] = {}  # Dask gives up a job whose future nobody holds
        self._client.subscribe_topic(self._topic, self._told)
        self._pool = Pool(_PACKED_AT_ONCE, thread_name_prefix="pack")
        self._closing = threading.Event()
        self._threads: dict[str, int] = {}
        self._looked_at = -_LOOK_SECONDS

    @property
    def slots(self) -> int:
        """As of Executor; follows the cluster as it grows and shrinks."""
        there = sum(self._by_host().values())
        return max(1, there if self._jobs is None else min(self._jobs, there))

    def submit(self, job: Job, tell: Callable[[Step], None]) -> Future[Result]:
        """As of Executor. The future raises VmafTuneError where the scheduler is gone."""
        future: Future[Result] = Future()
        self._pool.submit(self._send, job, tell, future, self._by_host())
        return future

    def close(self) -> None:
        """As of Executor."""
        self._closing.set()
        self._pool.shutdown(cancel_futures=True)
        self._client.close()  # the scheduler cancels what only this client waits for

    def _send(self, job: Job, tell: Callable[[Step], None], future: Future[Result], threads: dict[str, int]) -> None:
        from vmaftune.batch.remote import perform_away

        key = f"vmaf-tune-{uuid.uuid4().hex}"
        try:
            with workspace() as folder:
                away, samples = self._packer.pack(job, self._topic, threads, folder)
            self._tells[key] = tell
            # Samples are an argument, not scattered: what is scattered to a worker that is lost is lost with it.
            sent = self._client.submit(perform_away, encoded(away), samples, key=key, pure=False)
        except Exception as error:
            future.set_result(failure(error))
            return
        self._sent[key] = sent
        sent.add_done_callback(lambda done: self._ended(key, done, future))

    def _ended(self, key: str, done: Any, future: Future[Result]) -> None:
        self._tells.pop(key, None)
        self._sent.pop(key, None)
        if self._closing.is_set():
            future.set_exception(WorkerLost("the batch was ended"))
        elif done.status == "finished":
            result = decoded(done.result(), Result)
            if result.code < 0:
                future.set_exception(WorkerLost(result.reason))
            else:
                future.set_result(result)
        elif done.status == "error":
            error = done.exception()
            if type(error).__name__ == "KilledWorker":
                future.set_exception(WorkerLost("several workers died while they did it"))
            else:
                future.set_result(failure(error))
        else:
            future.set_exception(VmafTuneError(f"the scheduler {self._address} is gone; the same command goes on"))

    def _told(self, event: tuple[float, dict[str, str]]) -> None:
        tell = self._tells.get(event[1].get("key", ""))
        if tell is not None:
            tell(decoded(event[1]["step"], Step))

    def _by_host(self) -> dict[str, int]:
        """Threads of the cluster's workers, by the host that they are on."""
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            threads: dict[str, int] = {}
            for address, count in self._client.nthreads().items():
                host = urlsplit(address).hostname or address
                threads[host] = threads.get(host, 0) + count
            self._threads = threads
        return self._threads


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError(f"--scheduler needs Dask: {install_command('distributed')}") from error
    # What Dask has to say of lost workers and of much data is for its operators; a person is told by row.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Sending large graph")
    if "://" not in address:
        raise UserError(f"--scheduler {address}: give it as tcp://HOST:PORT")
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"--scheduler {address}: nothing answers there ({' '.join(str(error).split())})") from error
    try:
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except (TimeoutError, asyncio.TimeoutError) as error:  # two classes before Python 3.11
        client.close()
        raise UserError(f"--scheduler {address} has no worker; begin one with: dask worker {address}") from error
    return client

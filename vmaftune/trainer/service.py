"""The service: one event loop that talks, one thread that keeps, one that trains."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.contract.learner import Learner
from vmaftune.ending import asked_to_end
from vmaftune.errors import VmafTuneError
from vmaftune.state import atomic
from vmaftune.trainer.connection import Connection, ConnectionLimits, answer_line
from vmaftune.trainer.intake import Committer, Group, Intake
from vmaftune.trainer.log import Log
from vmaftune.trainer.messages import refused
from vmaftune.trainer.metrics import metrics_text, serve_metrics
from vmaftune.trainer.socketfile import identity
from vmaftune.trainer.spool import Spool, SpoolLimits
from vmaftune.trainer.status import Status
from vmaftune.trainer.training import Pace, Training
from vmaftune.trainer.waiting import WaitingRoom

_TICK_SECONDS = 1.0
_METRICS_SECONDS = 10.0
_WAITING_SECONDS = 30.0
_DRAIN_SECONDS = 1.5
_STOP_SECONDS = 4.5


class ServiceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose.

    Attributes:
        plugin: name of the trainer, for the status.
        durable: whether an answer waits for the disk.
        metrics_port: on the loopback interface; None for none, 0 for any that is free.
        metrics_file: written anew every few seconds; None for none.
    """

    plugin: str
    durable: bool = True
    metrics_port: int | None = None
    metrics_file: Path | None = None
    limits: ConnectionLimits = ConnectionLimits()
    pace: Pace = Pace()
    spool: SpoolLimits = SpoolLimits()


@dataclass
class _Counts:
    received: int = 0
    acknowledged: int = 0
    refused: int = 0
    failed: int = 0


def steady_clock(unix_seconds: Callable[[], float] = time.time) -> Callable[[], float]:
    """Unix seconds that go on evenly from now, whatever the clock is set to meanwhile."""
    offset = unix_seconds() - time.monotonic()
    return lambda: time.monotonic() + offset


class Service:
    """Takes samples in from clients, and trains on them, until it is told to stop.

    Args:
        learner: made, not yet restored.
        folder: of the spool, ours alone.
        waiting: what clients left while no trainer ran.
        unix_seconds: the time of samples and checkpoints.
    """

    def __init__(
        self,
        learner: Learner,
        folder: Path,
        waiting: WaitingRoom,
        options: ServiceOptions,
        log: Log | None = None,
        unix_seconds: Callable[[], float] | None = None,
    ) -> None:
        self.limits = options.limits
        self.unix_seconds = steady_clock() if unix_seconds is None else unix_seconds
        self._learner, self._waiting, self._options = learner, waiting, options
        self._log = Log() if log is None else log
        self._spool = Spool(folder / "spool", sync=options.durable, limits=options.spool)
        self._training = Training(learner, self._log, self.unix_seconds, self._covered, options.pace)
        self._intake = Intake(self._spool, learner, self._log, self._training.ingested)
        self._committer = Committer(self._intake)
        self._connections: set[Connection] = set()
        self._counts = _Counts()
        self._reported = (0, 0)  # refused and failed, when they were logged last
        self._last_refusal = self._metrics_failed = self._unreachable = ""
        self._began = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def prepare(self) -> None:
        """Go on where the last run was: the learner's snapshot, what came after it, and what clients left meanwhile.

        Raises:
            OSError: something cannot be read or written.
        """
        if self._spool.damaged:
            self._log("spool damaged", "warning", lines=self._spool.damaged)
        replayed = self._intake.recover()
        self._log("recovered", replayed=replayed, taken=self._spool.taken, cut_bytes=self._spool.cut_bytes)
        self._take_waiting()

    def run(self, listening: socket.socket) -> None:
        """Serve until SIGTERM, SIGINT or SIGHUP; everything is kept and closed on return.

        Raises:
            VmafTuneError: somebody removed the socket, so that nobody can reach it any more.
        """
        # A step or a disk that hangs must not keep it from ending: the spool holds what the snapshot lacks.
        last_resort = threading.Timer(_STOP_SECONDS, os._exit, (0,))
        last_resort.daemon = True
        asyncio.run(self._run(listening, last_resort))
        last_resort.cancel()
        if self._unreachable:
            raise VmafTuneError(self._unreachable)

    def stop(self) -> None:
        """Have ``run`` end. From the main thread, or a signal handler."""
        self._stop.set()

    # --- What connections ask of it, all in the loop's thread ---

    def opened(self, connection: Connection) -> bool:
        """Whether there is room for one more."""
        if len(self._connections) >= self.limits.connections:
            return False
        self._connections.add(connection)
        return True

    def closed(self, connection: Connection) -> None:
        """It is gone."""
        self._connections.discard(connection)

    def submit(self, group: Group) -> None:
        """Keep samples; ``group.done`` is called when they are."""
        self._counts.received += len(group.samples)
        self._committer.submit(group)

    def soon(self, call: Callable[..., None], *arguments: object) -> None:
        """Call something in the loop's thread. From any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(call, *arguments)

    def kept(self, samples: int, error: OSError | None) -> bytes:
        """Samples were kept, or could not be: the line that says so."""
        if error is None:
            self._counts.acknowledged += samples
        else:
            if not self._counts.failed:
                self._log.error("samples could not be kept", error)
            self._counts.failed += samples
        statistics = self._learner.statistics()
        return answer_line(statistics.step, statistics.buffered, error)

    def refusal(self, error: str) -> bytes:
        """A line was malformed: the line that says so."""
        self._counts.refused += 1
        self._last_refusal = error
        return refused(error)

    def status(self) -> Status:
        """How it does."""
        learner, training = self._learner.statistics(), self._training
        latencies = sorted(training.latencies.copy())
        published = training.published
        return Status(
            plugin=self._options.plugin,
            pid=os.getpid(),
            uptime_seconds=round(time.monotonic() - self._began, 3),
            connections=len(self._connections),
            received=self._counts.received,
            acknowledged=self._counts.acknowledged,
            refused=self._counts.refused,
            failed=self._counts.failed,
            duplicates=self._spool.duplicates,
            step=learner.step,
            taken=learner.taken,
            buffered=learner.buffered,
            loss=learner.loss,
            trained_unix_seconds=learner.trained_unix_seconds,
            since_checkpoint=learner.since_checkpoint,
            buffer_bytes=learner.buffer_bytes,
            latency_ms=round(1e3 * latencies[len(latencies) // 2], 3) if latencies else None,
            latency_p99_ms=round(1e3 * latencies[len(latencies) * 99 // 100], 3) if latencies else None,
            training_errors=training.errors,
            last_error=training.last_error,
            checkpoint=None if published is None else published.version,
            stable=None if published is None else published.stable,
            spool_bytes=self._spool.size_bytes,
            spool_segments=self._spool.segments,
            durable=self._options.durable,
        )

    # --- Its life ---

    async def _run(self, listening: socket.socket, last_resort: threading.Timer) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._fault)
        for number in asked_to_end():
            self._loop.add_signal_handler(number, self.stop)
        self._committer.start()
        self._training.start()
        server = await self._loop.create_unix_server(lambda: Connection(self), sock=listening)
        metrics = None if self._options.metrics_port is None else await self._metrics(self._options.metrics_port)
        self._log("listening", socket=listening.getsockname(), pid=os.getpid(), plugin=self._options.plugin)
        ticking = asyncio.create_task(self._tick(Path(listening.getsockname())))
        await self._stop.wait()
        last_resort.start()
        ticking.cancel()
        for listener in (server, metrics):
            if listener is not None:
                listener.close()
        await self._drain()
        self._training.stop()
        await asyncio.to_thread(self._training.join)
        self._write_metrics()
        self._intake.close()
        self._log("stopped", taken=self._spool.taken, acknowledged=self._counts.acknowledged)

    async def _drain(self) -> None:
        """Answer what was read, and close the connections."""
        for connection in list(self._connections):
            connection.stop_reading()
        self._committer.close()
        until = time.monotonic() + _DRAIN_SECONDS
        while (self._connections or self._committer.is_alive()) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.abort()

    async def _metrics(self, port: int) -> asyncio.Server | None:
        try:
            server = await serve_metrics(port, self.status)
        except OSError as error:
            self._log.error("no metrics", error, port=port)
            return None
        self._log("metrics", port=server.sockets[0].getsockname()[1])
        return server

    async def _tick(self, place: Path) -> None:
        """What is to be done now and then."""
        metrics_at = waiting_at = 0.0
        bound = identity(place)
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            now = time.monotonic()
            self._close_idle()
            if identity(place) != bound:  # whoever supervises it starts it again
                self._unreachable = f"somebody removed the socket {place}; start the trainer again"
                self.stop()
                return
            if now >= metrics_at:
                metrics_at = now + _METRICS_SECONDS
                await asyncio.to_thread(self._write_metrics)
                self._report()
            if now >= waiting_at:
                waiting_at = now + _WAITING_SECONDS
                await asyncio.to_thread(self._take_waiting)

    def _close_idle(self) -> None:
        assert self._loop is not None
        for connection in list(self._connections):
            if self._loop.time() - connection.active_at > self.limits.idle_seconds:
                connection.abort()

    def _report(self) -> None:
        """Log what went wrong since the last time, once for all of it."""
        refused, failed = (self._counts.refused - self._reported[0], self._counts.failed - self._reported[1])
        self._reported = (self._counts.refused, self._counts.failed)
        if refused:
            self._log("messages refused", "warning", count=refused, last=self._last_refusal)
        if failed:
            self._log("samples could not be kept", "error", count=failed)

    def _fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A fault of ours in the loop: it costs one connection, or nobody."""
        self._log.error("fault", context.get("exception") or RuntimeError(context["message"]))

    def _take_waiting(self) -> None:
        try:
            samples, damaged = self._waiting.take_in(self._intake.keep, self.unix_seconds())
        except Exception as error:  # they wait for the next time
            self._log.error("waiting samples not taken in", error)
            return
        if samples or damaged:
            self._log("waiting samples taken in", samples=samples, damaged=damaged)

    def _write_metrics(self) -> None:
        file, failed = self._options.metrics_file, ""
        if file is not None:
            try:
                atomic.write(file, metrics_text(self.status()).encode())
            except OSError as error:
                failed = str(error)
                if failed != self._metrics_failed:  # once, not every few seconds
                    self._log.error("no metrics", error, file=str(file))
        self._metrics_failed = failed

    def _covered(self, taken: int) -> None:
        self._intake.covered(taken)

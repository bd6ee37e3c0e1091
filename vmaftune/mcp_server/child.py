"""Jobs as processes: each is the command line with ``--events jsonl``, in a session of its own that can be ended whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio

from vmaftune.config.load import FILES_VARIABLE
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.events.schema import Event, Failed, Result
from vmaftune.ffmpeg.process import end_with_parent
from vmaftune.json_text import decoded

_EVENT: Any = Event
OnEvent = Callable[[Event], Awaitable[None]]

# No module is taken from the current folder, by any version of Python.
_MAIN = "import sys; '' in sys.path and sys.path.remove(''); from vmaftune.cli.main import main; main()"
_LONGEST_LINE = 1 << 28  # a result may hold the score of every frame
_SECONDS_TO_END = 8.0  # a job that is told to end gives its ffmpeg 3
_MOST_WAITING = 16
_LAST_WORDS = 20


class Jobs:
    """Runs jobs, a few at once; more wait, and too many are refused.

    Args:
        most: that run at once.
        host: options of every job by name (``ffmpeg``, ``cache_dir``, ``config``), where they are given; a bare name of a
            program stays one.
        user_config: whether the user's own configuration is in force; that of the current folder never is.
    """

    def __init__(self, most: int, host: Mapping[str, Path | None], *, user_config: bool = True) -> None:
        self._environment = {**os.environ, FILES_VARIABLE: "user" if user_config else "none"}
        self._free = anyio.Semaphore(most)
        self._waiting = 0
        self._running: set[anyio.CancelScope] = set()
        self._host = [
            word
            for name, path in host.items()
            if path is not None
            for word in (f"--{name.replace('_', '-')}", str(path if name == "ffmpeg" else path.absolute()))
        ]

    async def run(self, command: str, arguments: Sequence[str], on_event: OnEvent) -> Result:
        """Run ``vmaf-tune COMMAND ARGUMENTS`` to its end. When this is cancelled, the process has ended afterwards.

        Raises:
            UserError: what the job says of a mistake in what it was asked.
            VmafTuneError: it failed otherwise, or too many jobs wait.
        """
        if self._waiting >= _MOST_WAITING:
            raise VmafTuneError(f"{self._waiting} jobs wait already; ask again later")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            with anyio.CancelScope() as scope:
                self._running.add(scope)
                try:
                    return await self._run([command, "--events", "jsonl", *self._host, *arguments], on_event)
                finally:
                    self._running.discard(scope)
            raise VmafTuneError("the server ends")
        finally:
            self._free.release()

    async def end(self) -> None:
        """End all jobs; they have ended afterwards."""
        while self._running:
            for scope in self._running:
                scope.cancel()
            await anyio.sleep(0.02)

    async def _run(self, arguments: Sequence[str], on_event: OnEvent) -> Result:
        server = os.getpid()
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _MAIN, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            preexec_fn=lambda: _end_with(server),
            limit=_LONGEST_LINE,
        )
        assert child.stdout is not None and child.stderr is not None
        last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        reader = asyncio.create_task(_keep(child.stderr, last_words))
        try:
            last: Event | None = None
            async for line in child.stdout:
                last = decoded(line, _EVENT)
                await on_event(last)
            await child.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await _ended(child)
                await reader
        if isinstance(last, Result):
            return last
        if isinstance(last, Failed):
            raise (UserError if last.exit_code == UserError.exit_code else VmafTuneError)(last.message)
        raise VmafTuneError(f"the job ended without a result (status {child.returncode}): {' '.join(last_words)}")


def _end_with(server: int) -> None:
    """In the child before exec: it is told to end when the server dies, or has died already."""
    end_with_parent(signal.SIGTERM)
    if os.getppid() != server:
        os._exit(1)


async def _ended(child: asyncio.subprocess.Process) -> None:
    """Ask the process to end, which ends its ffmpeg; kill its whole session when it does not."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), _SECONDS_TO_END)
        except asyncio.TimeoutError:  # another class than TimeoutError before Python 3.11
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()


async def _keep(stream: asyncio.StreamReader, kept: deque[str]) -> None:
    async for line in stream:
        kept.append(line.decode("utf-8", "replace").strip())

"""Processes that make a plugin anew: several at the same time, each watched, and killed as soon as it has answered."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from vmaftune.state.workspace import workspace
from vmaftune.testing.check import ContractError

_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a process is to do.

    Attributes:
        spec: pickle of the spec, or of where it is installed; opened when the process is watched.
        folder: the cache folder.
        job: called with the instance and the process's arguments.
        local_sockets: sockets of this host are no network.
    """

    spec: bytes
    folder: Path
    job: Callable[..., Any]
    local_sockets: bool


class Report(NamedTuple):
    """What came of it.

    Attributes:
        result: what the job returned.
        writes: what was written outside the cache folder, in words.
        reaches: what was reached over the network, in words.
    """

    result: Any
    writes: list[str]
    reaches: list[str]


class Failed(NamedTuple):
    """The process could not do it; ``why`` is one line."""

    why: str


def run_together(order: Order, arguments: Sequence[tuple[Any, ...]]) -> list[Report]:
    """Do the order once for each of ``arguments``: all processes begin when the last one has made its instance.

    Raises:
        ContractError: one of them failed.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_started(order, each)) for each in arguments]
        for process in processes:
            process.answer()
        for process in processes:
            process.go()
        return [process.answer() for process in processes]


class _Process:
    def __init__(self, popen: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._popen, self._errors = popen, errors

    def answer(self) -> Any:
        assert self._popen.stdout is not None
        try:
            answer = pickle.load(self._popen.stdout)
        except (EOFError, pickle.UnpicklingError):
            status = self._popen.wait()
            raise ContractError(f"a process of its own ended with status {status}: {self._last_words()}") from None
        if isinstance(answer, Failed):
            raise ContractError(f"in a process of its own it raised {answer.why}")
        return answer

    def go(self) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return next((" ".join(line.split()) for line in reversed(lines) if line.strip()), "it said nothing")


@contextmanager
def _started(order: Order, arguments: tuple[Any, ...]) -> Iterator[_Process]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if Path(entry).exists()),
        "PYTHONDONTWRITEBYTECODE": "1",  # or importing would write
        "PYTHONHASHSEED": "20240117",  # sets are in another order than here
    }
    with workspace() as elsewhere, tempfile.TemporaryFile() as errors:
        written = elsewhere / "order"
        written.write_bytes(pickle.dumps((order, arguments)))
        command = [sys.executable, "-m", "vmaftune.testing.child", str(written)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, cwd=elsewhere, env=environment) as popen:
            timer = threading.Timer(_SECONDS, popen.kill)
            timer.start()
            try:
                yield _Process(popen, errors)
            finally:
                timer.cancel()
                popen.kill()  # at once, without a chance to write: what was learned must be safe by now

"""Several ffmpeg processes at a time, each begun by a thread that does nothing else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.undisturbed import Pool

Work = TypeVar("Work")
Result = TypeVar("Result")
_BUSY_SECONDS = 0.2


class Busy(Exception):
    """Another process is doing this piece of work; it is tried again after the others."""


def run_parallel(
    work: Iterable[Work],
    do: Callable[[Work, ProgressCallback], Result],
    jobs: int,
    ended: Callable[[Work, Result | VmafTuneError], None],
) -> None:
    """Do all pieces of work, ``jobs`` at a time, in their order as far as they are not Busy.

    Args:
        do: does one, in a thread of its own; it gives the second argument to ffmpeg, which ends when we are interrupted.
        ended: told in the calling thread what came of each.
    """
    todo, stop = deque(work), threading.Event()
    running: dict[Future[Result], Work] = {}

    def go_on(frames: int) -> None:
        if stop.is_set():
            raise _Stopped

    with Pool(jobs) as pool:
        try:
            while todo or running:
                while todo and len(running) < jobs:
                    piece = todo.popleft()
                    running[pool.submit(do, piece, go_on)] = piece
                busy = False
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    piece = running.pop(future)
                    try:
                        outcome: Result | VmafTuneError = future.result()
                    except Busy:
                        todo.append(piece)
                        busy = True
                        continue
                    except VmafTuneError as error:
                        outcome = error
                    ended(piece, outcome)
                if busy:
                    stop.wait(_BUSY_SECONDS)
        except BaseException:
            stop.set()
            raise


class _Stopped(Exception):
    """Raised within work whose result nobody waits for any more."""

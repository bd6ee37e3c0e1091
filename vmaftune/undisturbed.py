"""Holding back interrupts where one in the midst would leave something locked or hidden."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from vmaftune.ending import asked_to_end

Result = TypeVar("Result")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Holds back the signals that end a process until it has ended. Elsewhere than in the main thread, none come anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = {n: signal.signal(n, lambda number, frame: held.append(number)) for n in asked_to_end()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


class Pool(ThreadPoolExecutor):
    """A pool that work can be handed to while interrupts come.

    One that came within ``submit`` would leave the pool's own lock taken, and whoever ends the pool would wait for ever.
    """

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """As of ThreadPoolExecutor."""
        with undisturbed():
            return super().submit(fn, *args, **kwargs)

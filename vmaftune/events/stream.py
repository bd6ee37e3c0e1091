"""The stream itself: one line of JSON for each event on standard output, each written before the job goes on.

Light to import: nothing heavy is loaded until the stream is on.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from vmaftune.printable import printable

if TYPE_CHECKING:
    from vmaftune.events.batch import BatchEvents
    from vmaftune.events.observer import EventObserver
    from vmaftune.events.schema import Event

_STDOUT, _STDERR = 1, 2


class EventStream:
    """Where ``--events jsonl`` goes; says nothing until it is ``on``.

    The last line is always one result or one error, whatever became of the command; only a kill (SIGKILL) leaves none.

    Attributes:
        on: whether ``--events`` was given.
    """

    def __init__(self) -> None:
        self.on = False
        self._ended = False
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()

    def started(self, job: str, *inputs: Path) -> None:
        """The command begins."""
        if self.on:
            from vmaftune import __version__
            from vmaftune.events.schema import Started

            self.send(Started(job=job, inputs=[str(path) for path in inputs], version=__version__))

    def warn(self, text: str) -> None:
        """A warning to the user, on standard error too."""
        from vmaftune.jobs.session import warn

        warn(text)
        if self.on:
            from vmaftune.events.schema import Warned

            self.send(Warned(text=printable(" ".join(text.split()))))

    def observer(self) -> EventObserver:
        """Makes events of what a job does."""
        from vmaftune.events.observer import EventObserver

        return EventObserver(self.send)

    def batch_observer(self) -> BatchEvents:
        """Makes events of what a batch does."""
        from vmaftune.events.batch import BatchEvents

        return BatchEvents(self.send)

    def result(self, exit_code: int = 0, message: str | None = None, **report: Any) -> None:
        """The last line of a job that came to an end.

        Args:
            report: its report by the name of its field in vmaftune.events.schema.Result.
        """
        if self.on:
            from vmaftune.events.schema import Result

            self.send(Result(exit_code=exit_code, message=message, **report), last=True)

    def failed(self, message: str, exit_code: int) -> None:
        """The last line of a job that failed, unless it has one; a reader that is gone is no matter any more."""
        if self.on:
            from vmaftune.events.schema import Failed

            with contextlib.suppress(OSError):
                self.send(Failed(message=printable(message), exit_code=exit_code), last=True)

    def send(self, event: Event, *, last: bool = False) -> None:
        """Write one event; nothing comes after the last one.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        if not self.on:
            return
        from vmaftune.json_text import encoded

        line = encoded(event)
        with self._lock:
            if self._ended:
                return
            self._ended = last
            if self._file is None:
                self._file = _taken()
            self._file.write(line + b"\n")
            self._file.flush()


def _taken() -> BinaryIO:
    """Standard output, for events alone: what a plugin or a library prints goes to standard error from now on."""
    sys.stdout.flush()
    file = os.fdopen(os.dup(_STDOUT), "wb")
    os.dup2(_STDERR, _STDOUT)
    return file

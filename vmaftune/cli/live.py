"""A live line on standard error that leaves the cursor as it was, however the command ends."""

from __future__ import annotations

import contextlib
import sys
from types import TracebackType
from typing import TypeVar

from rich.progress import Progress, ProgressColumn, TextColumn

from vmaftune.cli.console import console
from vmaftune.cli.streams import escaped
from vmaftune.undisturbed import undisturbed

_Self = TypeVar("_Self", bound="LiveLine")


class LiveLine:
    """What stands on standard error while a command works: nothing live in a pipe, a progress display on a terminal.

    Attributes:
        console: standard error.
        display: progress while there is one, else None.
    """

    def __init__(self) -> None:
        self.console = console(sys.stderr, soft_wrap=True)
        self.display: Progress | None = None
        self._streams = sys.stdout, sys.stderr

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.display is not None:
            with undisturbed(), contextlib.suppress(OSError):  # a terminal that was closed
                self.display.stop()
            sys.stdout, sys.stderr = self._streams

    def show_live(self, *columns: ProgressColumn) -> Progress | None:
        """Begin a display of ``columns``, which ends with the context; None where standard error is no terminal."""
        if not sys.stderr.isatty():
            return None
        for column in columns:
            if isinstance(column, TextColumn):
                column.markup = False  # a file name is no markup
        self.display = Progress(*columns, console=self.console, transient=True)
        try:
            with undisturbed():
                self.display.start()
        except BaseException:
            self.display.stop()
            raise
        # What is printed meanwhile goes through streams of rich, which take control codes for colours and links.
        sys.stdout, sys.stderr = escaped(sys.stdout), escaped(sys.stderr)
        return self.display

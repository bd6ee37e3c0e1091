"""A live line on standard error that leaves the cursor as it was, however the command ends."""

from __future__ import annotations

import contextlib
import sys
import threading
from types import TracebackType
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn
from rich.text import Text

from vmaftune.cli.console import console
from vmaftune.cli.streams import escaped
from vmaftune.undisturbed import undisturbed

_REDRAW_SECONDS = 0.1

_Self = TypeVar("_Self", bound="LiveLine")


class Display(Progress):
    """Progress that takes the console before its own lock, as whoever prints does; rich's own thread takes them the other way
    round."""

    def __init__(self, *columns: str | ProgressColumn, console: Console) -> None:
        self._over = threading.Event()
        super().__init__(*columns, console=console, transient=True, auto_refresh=False)

    def start(self) -> None:
        """Show it, and redraw it from now on."""
        with self.console:
            super().start()
        threading.Thread(target=self._redraw, daemon=True).start()

    def stop(self) -> None:
        """Take it away."""
        self._over.set()
        with self.console:
            super().stop()

    def refresh(self) -> None:
        """Draw it as things are now."""
        with self.console:
            super().refresh()

    def _redraw(self) -> None:
        while not self._over.wait(_REDRAW_SECONDS):
            self.refresh()


class LiveLine:
    """What stands on standard error while a command works: nothing live in a pipe, a progress display on a terminal.

    Attributes:
        console: standard error.
        display: progress while there is one, else None.
    """

    def __init__(self) -> None:
        self.console = console(sys.stderr, soft_wrap=True)
        self.display: Display | None = None
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

    def show_live(self, *columns: ProgressColumn, kind: type[Display] = Display) -> Display | None:
        """Begin a display of ``columns``, which ends with the context; None where standard error is no terminal."""
        if not sys.stderr.isatty():
            return None
        for column in columns:
            if isinstance(column, TextColumn):
                column.markup = False  # a file name is no markup
        self.display = kind(*columns, console=self.console)
        try:
            with undisturbed():
                self.display.start()
        except BaseException:
            self.display.stop()
            raise
        # What is printed meanwhile goes through streams of rich, which take control codes for colours and links.
        sys.stdout, sys.stderr = escaped(sys.stdout), escaped(sys.stderr)
        return self.display

    def print_result(self, line: Text) -> None:
        """A line for standard output. Where that is the terminal of the display, only the display's console can write it above
        the display: what anything else writes there is drawn over, or stays beside what was drawn."""
        if self.display is not None and sys.stdout.isatty():
            self.console.print(line)
        else:
            click.echo(line.plain)

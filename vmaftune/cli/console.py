"""The way of colours and of what moves to the terminal: the one place that makes a rich console.

Its own control codes pass; the text, which may be of a file or of ffmpeg, is escaped as vmaftune.cli.streams does it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from vmaftune.printable import printable


class _EscapedConsole(Console):
    """A console whose text is escaped as it is rendered; rich's own control codes are segments of another kind.

    One thread writes to it at once, from looking where the cursor is to the last byte. Without this, a line that is printed
    while another thread redraws a display is placed by the height of a display that is no more: it is drawn over, or part of
    the display stays for ever.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._writing = threading.RLock()

    def __enter__(self) -> Console:
        self._writing.acquire()
        return super().__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._writing.release()

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable(segment.text)
            yield segment if text is segment.text else Segment(text, segment.style)


def console(stream: TextIO, **options: Any) -> Console:
    """A console on standard output or standard error.

    Args:
        options: of rich's Console.
    """
    return _EscapedConsole(file=getattr(stream, "bare", stream), highlight=False, markup=False, **options)

"""The way of colours and of what moves to the terminal: the one place that makes a rich console.

Its own control codes pass; the text, which may be of a file or of ffmpeg, is escaped as vmaftune.cli.streams does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from vmaftune.printable import printable


class _EscapedConsole(Console):
    """A console whose text is escaped as it is rendered; rich's own control codes are segments of another kind."""

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

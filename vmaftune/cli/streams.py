"""The way of plain text to the terminal. It may be text of a file or of ffmpeg, so it is escaped here, at the exit.

``print`` and ``click.echo`` write to these streams; what has colours or moves goes through vmaftune.cli.console.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from vmaftune.printable import encodable, printable


class Escaped:
    """A text stream whose text is escaped as it is written; it is the stream itself in all else.

    Attributes:
        bare: the stream.
    """

    def __init__(self, bare: TextIO, escape: Callable[[str], str] = printable) -> None:
        self.bare, self._escape = bare, escape

    def write(self, text: str) -> int:
        """Write text; characters that the stream's encoding lacks are escaped too."""
        safe = self._escape(text)
        try:
            self.bare.write(safe)
        except UnicodeEncodeError:
            encoding = self.bare.encoding or "ascii"
            self.bare.write(safe.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


@contextmanager
def escaped_streams() -> Iterator[None]:
    """Standard output and standard error escape what is printed. Output into a file or a pipe, which programs read, keeps
    the bytes of file names as they are."""
    out, err = sys.stdout, sys.stderr
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="surrogateescape")  # a file name need not be UTF-8
    sys.stdout = escaped(out, printable if out.isatty() else encodable)
    sys.stderr = escaped(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def escaped(stream: TextIO, escape: Callable[[str], str] = printable) -> TextIO:
    """The stream, escaping what is written to it."""
    return cast(TextIO, Escaped(stream, escape))

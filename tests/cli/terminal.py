"""A terminal to look at: a program runs on a pseudo-terminal of so many columns, and what a person then sees is worked out."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.cells import get_character_cell_size

_PIECES = re.compile(rb"(?<=\n)|(?=\r)")
_TOKEN = re.compile(r"\x1b\[(\?[0-9;]*|[0-9;]*)([A-Za-z])|([\x00-\x1a\x1c-\x1f])|([^\x00-\x1f\x1b])", re.DOTALL)


class Screen:
    """What stands on a terminal, lines that were scrolled away included; knows what ``rich`` sends.

    Args:
        columns, rows: of the terminal. A cursor does not go up past its first row.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._goes_on: set[int] = set()
        self._decoder, self._rest = codecs.getincrementaldecoder("utf-8")("replace"), ""

    @property
    def lines(self) -> list[str]:
        """From the top."""
        return ["".join(line).rstrip() for line in self._lines]

    @property
    def whole_lines(self) -> list[str]:
        """Those that were longer than the terminal is wide in one piece."""
        whole: list[str] = []
        for row, line in enumerate(self._lines):
            if row in self._goes_on:
                whole[-1] += "".join(line)
            else:
                whole.append("".join(line))
        return [line.rstrip() for line in whole]

    def feed(self, written: bytes) -> None:
        """What a program writes, block by block."""
        text = self._rest + self._decoder.decode(written)
        begun = text.rfind("\x1b")
        whole = begun < 0 or _TOKEN.match(text, begun) is not None
        text, self._rest = (text, "") if whole else (text[:begun], text[begun:])
        for argument, command, control, character in _TOKEN.findall(text):
            if character:
                self._put(character)
            elif control == "\r":
                self._column = 0
            elif control == "\n":
                self._down()
                self._goes_on.discard(self._row)
            elif command == "A":
                top = max(0, len(self._lines) - self._rows)
                self._row = max(top, self._row - int(argument or 1))
            elif command == "K":
                self._lines[self._row] = [] if argument == "2" else self._lines[self._row][: self._column]

    def _put(self, character: str) -> None:
        cells = get_character_cell_size(character)
        if self._column + cells > self._columns:
            self._column = 0
            self._down()
            self._goes_on.add(self._row)
        line = self._lines[self._row]
        line += [" "] * (self._column + cells - len(line))
        line[self._column : self._column + cells] = [character, *[""] * (cells - 1)]
        self._column += cells

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append([])


def watch(
    command: Sequence[str | Path], columns: int, rows: int, env: Mapping[str, str], cwd: Path
) -> tuple[int, Screen, list[str]]:
    """Run a program on a terminal.

    Returns:
        Its exit code, what stands on the terminal at its end, and what stood there after each line that it wrote.
    """
    kept = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    child, terminal = on_a_terminal(command, {**kept, "TERM": "xterm-256color"}, cwd, size=(columns, rows))
    screen, seen = Screen(columns, rows), []
    for block in blocks(terminal):
        for piece in _PIECES.split(block):  # a block may hold many drawings where the machine is busy
            screen.feed(piece)
            seen.append("\n".join(screen.lines))
    os.close(terminal)
    return child.wait(), screen, seen


def on_a_terminal(
    command: Sequence[str | Path],
    env: Mapping[str, str],
    cwd: Path,
    size: tuple[int, int] | None = None,
    *,
    controlling: bool = False,
) -> tuple[subprocess.Popen[bytes], int]:
    """Begin a program whose three streams are a terminal, in a session of its own.

    Args:
        size: columns and rows; None leaves the terminal without.
        controlling: the terminal is that of its session, whose end is told to it.

    Returns:
        The program, and the descriptor of the terminal's other end.
    """

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    ours, theirs = pty.openpty()
    if size is not None:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *reversed(size), 0, 0))
    child = subprocess.Popen(
        [str(word) for word in command],
        env=env,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=take_terminal if controlling else None,
    )
    os.close(theirs)
    return child, ours


def blocks(terminal: int) -> Iterator[bytes]:
    """What is written to a terminal, until nobody has its other end open any more."""
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux's way to say so
            return
        if not block:
            return
        yield block


def read_until(terminal: int, wanted: bytes) -> bytes:
    """The same up to ``wanted``."""
    seen = b""
    for block in blocks(terminal):
        seen += block
        if wanted in seen:
            break
    return seen

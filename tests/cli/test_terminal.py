"""On a terminal a search shows a live line, and leaves the terminal as it was, also when it is interrupted."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def _start(program: Program, *arguments: str | Path) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    environment = program.env(TERM="xterm-256color", COLUMNS="100", LINES="40")
    environment.pop("NO_COLOR", None)
    child = subprocess.Popen(
        program.command(*arguments),
        env=environment,
        cwd=program.home,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return child, ours


def _read_until(terminal: int, wanted: bytes | None) -> bytes:
    """What the program writes, up to ``wanted`` or its end."""
    seen = b""
    while wanted is None or wanted not in seen:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that nobody has the other end open any more
            break
        if not block:
            break
        seen += block
    return seen


def test_a_live_line_is_shown_and_taken_away(program: Program, longer: Path) -> None:
    child, terminal = _start(program, "crf-search", "-i", longer, *X264, "--min-vmaf", "90")
    seen = _read_until(terminal, None)
    os.close(terminal)
    assert child.wait() == 0
    assert HIDE in seen and seen.rfind(SHOW) > seen.rfind(HIDE)
    assert b"%" in seen[seen.find(HIDE) :] and "━".encode() in seen
    assert b"crf " in seen and b"encode with:" in seen


@pytest.mark.parametrize("moment", [HIDE, b"CRF"], ids=["begins", "probes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_cursor_comes_back_after_an_interrupt(program: Program, longer: Path, number: int, moment: bytes) -> None:
    child, terminal = _start(program, "crf-search", "-i", longer, "-e", "libx264", "--preset", "veryslow")
    seen = _read_until(terminal, moment)
    assert HIDE in seen
    os.kill(child.pid, number)
    seen += _read_until(terminal, None)
    os.close(terminal)
    assert child.wait() == (130 if number == signal.SIGINT else 143), seen
    assert seen.rfind(SHOW) > seen.rfind(HIDE)
    assert b"Traceback" not in seen
    assert program.left_behind() == []


def test_json_on_a_terminal_keeps_its_own_line(program: Program, clip: Path) -> None:
    child, terminal = _start(program, "crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--json")
    seen = _read_until(terminal, None)
    os.close(terminal)
    assert child.wait() == 0
    assert sum(line.startswith(b'{"crf":') for line in seen.splitlines()) == 1

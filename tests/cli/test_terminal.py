"""On a terminal a search shows a live line, and leaves the terminal as it was, also when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program
from tests.cli.terminal import blocks, on_a_terminal, read_until

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def start(program: Program, *arguments: str | Path) -> tuple[subprocess.Popen[bytes], int]:
    """Begin the program on a terminal."""
    environment = program.env(TERM="xterm-256color", COLUMNS="100", LINES="40")
    environment.pop("NO_COLOR", None)
    return on_a_terminal(program.command(*arguments), environment, program.home)


def test_a_live_line_is_shown_and_taken_away(program: Program, longer: Path) -> None:
    child, terminal = start(program, "crf-search", "-i", longer, *X264, "--min-vmaf", "90")
    seen = b"".join(blocks(terminal))
    os.close(terminal)
    assert child.wait() == 0
    assert HIDE in seen and seen.rfind(SHOW) > seen.rfind(HIDE)
    assert b"%" in seen[seen.find(HIDE) :] and "━".encode() in seen
    assert b"crf " in seen and b"encode with:" in seen


@pytest.mark.parametrize("moment", [HIDE, b"CRF"], ids=["begins", "probes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_cursor_comes_back_after_an_interrupt(program: Program, longer: Path, number: int, moment: bytes) -> None:
    child, terminal = start(program, "crf-search", "-i", longer, "-e", "libx264", "--preset", "veryslow")
    seen = read_until(terminal, moment)
    assert HIDE in seen
    os.kill(child.pid, number)
    seen += b"".join(blocks(terminal))
    os.close(terminal)
    assert child.wait() == (130 if number == signal.SIGINT else 143), seen
    assert seen.rfind(SHOW) > seen.rfind(HIDE)
    assert b"Traceback" not in seen
    assert program.left_behind() == []


def test_json_on_a_terminal_keeps_its_own_line(program: Program, clip: Path) -> None:
    child, terminal = start(program, "crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--json")
    seen = b"".join(blocks(terminal))
    os.close(terminal)
    assert child.wait() == 0
    assert sum(line.startswith(b"{") and b'"crf":' in line for line in seen.splitlines()) == 1

"""Signals that ask a process to end: it unwinds, so that ffmpeg ends and temporary files go."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_UNWIND = (signal.SIGTERM, signal.SIGHUP)

ENDING = (signal.SIGINT, *_UNWIND)
"""All of them: Ctrl-C, ``kill``, and the terminal that was closed or the connection that broke."""


def asked_to_end() -> tuple[signal.Signals, ...]:
    """Those of ENDING that this process is to obey: ``nohup`` starts it with SIGHUP ignored, and so it stays."""
    return tuple(number for number in ENDING if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN)


def unwind_on_signals() -> None:
    """From now on SIGTERM and SIGHUP raise SystemExit with the code that shells expect, 128 and the signal's number."""
    for number in asked_to_end():
        if number in _UNWIND:
            signal.signal(number, _unwind)


def _unwind(number: int, frame: FrameType | None) -> NoReturn:
    """Once: a closed terminal sends SIGHUP and its shell another one, systemd both signals; a second would interrupt the
    clearing up."""
    for other in _UNWIND:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)

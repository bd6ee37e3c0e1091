"""What child processes of these tests run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_settings import Settings

from tests.sidecars.conftest import VERSION
from vmaftune.contract import Capture


def learn_all(folder: Path, captures: Sequence[Capture], history_rows: int) -> None:
    correction = RidgeCorrection(Settings(history_rows=history_rows), folder, VERSION, print)
    for capture in captures:
        correction.learn(capture)


def learn_until_killed(folder: Path, captures: Sequence[Capture], told: Connection) -> None:
    """Say after each capture how many were learned."""
    correction = RidgeCorrection(Settings(history_rows=500), folder, VERSION, print)
    told.send(0)
    for number, capture in enumerate(captures, start=1):
        correction.learn(capture)
        told.send(number)


def learn_and_be_killed(folder: Path, capture: Capture, calls: int) -> None:
    """Learn one capture, and be killed right before the system is called once more than ``calls`` times."""
    correction = RidgeCorrection(Settings(history_rows=500), folder, VERSION, print)
    left = calls

    def watch(frame: FrameType, event: str, function: Any) -> None:
        nonlocal left
        if event == "c_call" and _calls_the_system(function):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.setprofile(watch)
    correction.learn(capture)
    sys.setprofile(None)


def _calls_the_system(function: Any) -> bool:
    """Whether Python calls something of os, fcntl or a file; what only looks at names or at the process counts for nothing."""
    module = function.__module__ or type(getattr(function, "__self__", None)).__module__
    return module in {"posix", "fcntl", "io", "_io"} and function.__name__ not in {
        "fspath",
        "getpid",
        "kill",
        "urandom",
    }

"""The service's log: one JSON object a line on standard error, for whatever collects the logs of services."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

from vmaftune.json_text import encoded

_LONGEST_TEXT = 500


class Log:
    """Writes events. From any thread.

    Args:
        stream: where to; standard error where it is left out.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()

    def __call__(self, event: str, level: str = "info", **fields: object) -> None:
        """Write one; ``fields`` are JSON values. Never raises: a log that is gone must not end the service."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        said = {name: shown(value) if isinstance(value, str) else value for name, value in fields.items()}
        line = encoded({"time": moment, "level": level, "event": event, **said}).decode()
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # closed, or a disk that is full
                return

    def error(self, event: str, error: BaseException, **fields: object) -> None:
        """Write that something failed, and why."""
        self(event, "error", error=described(error), **fields)


def described(error: BaseException) -> str:
    """What failed, in one line."""
    return shown(f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST_TEXT])


def shown(text: str) -> str:
    """A text that JSON can hold: a path may have bytes that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()

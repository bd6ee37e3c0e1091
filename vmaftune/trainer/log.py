"""The service's log: one JSON object a line on standard error, for whatever collects the logs of services."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

import msgspec


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
        line = msgspec.json.encode({"time": moment, "level": level, "event": event, **fields}).decode()
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # closed, or a disk that is full
                return

    def error(self, event: str, error: BaseException, **fields: object) -> None:
        """Write that something failed, and why."""
        text = " ".join(str(error).split())
        self(event, "error", error=f"{type(error).__name__}: {text}"[:500], **fields)

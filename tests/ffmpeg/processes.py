"""Which processes are there (Linux)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def processes_naming(path: Path) -> list[int]:
    """Ids of the other processes that have ``path`` in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.fsencode(path) in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found

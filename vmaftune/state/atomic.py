"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from vmaftune.state import leftovers


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: a temporary file in the same folder, fsync, rename, fsync of the folder.

    Temporary files of runs that were killed are removed from that folder on the way.

    Raises:
        OSError: it could not be written; ``path`` is then as it was before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made, handle = leftovers.make(path.parent, leftovers.FILE)
    with os.fdopen(handle, "wb") as file:  # which holds its lock until it has its name
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            made.replace(path)
        except BaseException:
            leftovers.remove(made)
            raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def set_aside(path: Path, why: str) -> Path:
    """Rename a file that cannot be used to ``<name>.<why>``, numbered when that is taken; nothing is deleted."""
    target = path.with_name(f"{path.name}.{why}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.{why}-{number}")
    path.rename(target)
    return target

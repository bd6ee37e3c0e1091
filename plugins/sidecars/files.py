"""Files of state that are written whole or not at all, and set aside where they cannot be used."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, which nobody else may read: temporary file beside it, fsync, rename, fsync of the folder.

    The caller holds the lock of that file, so that one name is enough for the temporary file, and what a writer that was killed
    left of it is in nobody's way.

    Raises:
        OSError: it could not be written; ``path`` is then as it was before.
    """
    made = path.with_name(f".{path.name}.tmp")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    if os.name == "posix":  # where the folder's names are kept by a step of their own
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used to ``<name>.set-aside``, numbered when that is taken; nothing is deleted."""
    target = path.with_name(f"{path.name}.set-aside")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.set-aside-{number}")
    path.rename(target)
    return target

"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

from vmaftune.state.regular import check_regular

_ABANDONED_SECONDS = 3600.0


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: a temporary file in the same folder, fsync, rename, fsync of the folder.

    Raises:
        OSError: it could not be written, or is no regular file; ``path`` is then as it was before.
    """
    check_regular(path)  # the rename would put a file in the place of a device
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sweep(path: Path) -> None:
    """Remove what writers left that were killed; younger files may be being written."""
    for part in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if part.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                part.unlink()


def set_aside(path: Path, why: str) -> Path:
    """Rename a file that cannot be used to ``<name>.<why>``, numbered when that is taken; nothing is deleted."""
    target = path.with_name(f"{path.name}.{why}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.{why}-{number}")
    path.rename(target)
    return target

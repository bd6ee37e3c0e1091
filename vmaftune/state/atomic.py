"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vmaftune.state import leftovers


def write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write ``content`` to ``path``: a temporary file in the same folder, fsync, rename, fsync of the folder.

    Temporary files of runs that were killed are removed from that folder on the way. A file that is replaced keeps its mode. A
    device or a pipe is written to.

    Args:
        private: nobody else may read it. Otherwise a new file has the mode that the umask asks for, as any program's has.

    Raises:
        OSError: it could not be written; ``path`` is then as it was before.
    """
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    made, handle = leftovers.make(path.parent, leftovers.FILE, 0o600 if private else 0o666)
    with os.fdopen(handle, "wb") as file:  # which holds its lock until it has its name
        try:
            if mode is not None and not private:
                os.fchmod(file.fileno(), stat.S_IMODE(mode) & 0o777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            made.replace(path)
        except BaseException:
            leftovers.remove(made)
            raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder kept, on systems where that is a step of its own. Raises OSError."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _mode(path: Path) -> int | None:
    """Kind and permissions of what is there; None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def set_aside(path: Path, why: str) -> Path:
    """Rename a file that cannot be used to ``<name>.<why>``, numbered when that is taken; nothing is deleted."""
    target = path.with_name(f"{path.name}.{why}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.{why}-{number}")
    path.rename(target)
    return target

"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import time
from pathlib import Path

_ABANDONED_SECONDS = 3600.0


def write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write ``content`` to ``path``: a temporary file in the same folder, fsync, rename, fsync of the folder.

    A file that is replaced keeps its mode. A device or a pipe is written to.

    Args:
        private: nobody else may read it. Otherwise a new file has the mode that the umask asks for, as any program's has.

    Raises:
        OSError: it could not be written; ``path`` is then as it was before.
    """
    if _is_device(path):
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600 if private else _mode(path))
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


def _is_device(path: Path) -> bool:
    """Whether it is something that renaming would destroy: ``/dev/null``, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _mode(path: Path) -> int:
    """Of the file that is there, else as the umask has it."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o777
    except FileNotFoundError:
        return 0o666 & ~_umask()


def _umask() -> int:
    with contextlib.suppress(OSError):  # Linux tells; elsewhere it can only be read by setting it, for all threads
        if told := re.search(
            r"^Umask:\s*([0-7]+)", Path("/proc/self/status").read_text("ascii", "replace"), re.MULTILINE
        ):
            return int(told[1], 8)
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


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

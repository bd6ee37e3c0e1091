"""Files that are read whole: regular ones, up to a size. A device, a pipe or a socket may have no end, or never begin."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from pathlib import Path

LARGEST_TEXT_BYTES = 16 * 2**20
"""Of a configuration, a registry, a manifest: files that people or we write by hand, so to speak."""


def open_regular(path: Path, most_bytes: int | None = None) -> io.BufferedReader:
    """A file opened for reading.

    Args:
        most_bytes: that it may have.

    Raises:
        OSError: it cannot be opened, is no regular file, or is larger; ``strerror`` says which.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))  # a pipe is not waited for
    try:
        status = os.fstat(handle)
        _check(status, path)
        if most_bytes is not None and status.st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it is larger than {most_bytes / 1e6:.0f} MB", str(path))
    except BaseException:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def read_regular(path: Path, most_bytes: int = LARGEST_TEXT_BYTES) -> bytes:
    """The content of a file. Raises as open_regular."""
    with open_regular(path, most_bytes) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes / 1e6:.0f} MB", str(path))
    return content


def check_regular(path: Path) -> None:
    """Raise OSError where something is at ``path`` that is no regular file."""
    with contextlib.suppress(FileNotFoundError):
        _check(path.stat(), path)


def _check(status: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file, but a device, a pipe or a socket", str(path))

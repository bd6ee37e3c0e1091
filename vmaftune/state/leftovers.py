"""Temporary files and folders of runs. Each is locked while its run lives; the next run removes those that nobody locks.

In a folder there may stand

* ``.vmaf-tune-NAME.tmp``, a file that is being written. It is its own lock.
* ``.vmaf-tune-NAME.lock``, the lock of the folder ``vmaf-tune-NAME`` beside it. It is made before that folder and removed
  after it, so that a folder without a lock is never ours.

The system frees a lock when its process dies, however it dies. A kill between any two steps therefore leaves one of these
two, unlocked, and the next run that makes something in the same place removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from pathlib import Path

PREFIX = "vmaf-tune-"
FILE = ".tmp"
LOCK = ".lock"

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def make(parent: Path, suffix: str, mode: int = 0o600) -> tuple[Path, int]:
    """A new file ``.vmaf-tune-NAME<suffix>`` of this mode, less the umask, that this process holds locked.

    What other runs of this user left in ``parent`` is removed on the way.

    Returns:
        Its path, and a descriptor; the lock ends when that is closed.

    Raises:
        OSError: it cannot be made.
    """
    while True:
        path = parent / f".{PREFIX}{secrets.token_hex(5)}{suffix}"
        try:
            handle = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            continue
        try:
            held = _held(path, handle)
            if held is not False:
                sweep(parent, os.fstat(handle).st_uid)
                return path, handle
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)
            raise
        os.close(handle)  # another run took it for abandoned before it was locked, and removes it


def folder_of(lock: Path) -> Path:
    """The folder that a lock is of."""
    return lock.with_name(lock.name.removeprefix(".").removesuffix(LOCK))


def remove(path: Path) -> None:
    """Remove a temporary file, or a lock with its folder, while it is locked.

    The lock stays where something of the folder does (a program that was killed may still be writing): a later run
    removes both.
    """
    if path.name.endswith(LOCK):
        folder = folder_of(path)
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.lexists(folder):
            return
    with contextlib.suppress(OSError):
        path.unlink()


def sweep(parent: Path, user: int) -> None:
    """Remove what killed runs of ``user`` (a uid) left in a folder. What cannot be read, locked or removed is passed over."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        names = [e.name for e in entries if e.name.startswith(f".{PREFIX}") and e.name.endswith((FILE, LOCK))]
        for name in names:
            with contextlib.suppress(OSError):
                _remove_abandoned(parent / name, user)


def _remove_abandoned(path: Path, user: int) -> None:
    if path.lstat().st_uid != user:  # root could lock and remove those of everybody
        return
    handle = os.open(path, _FLAGS)
    try:
        if _held(path, handle):
            remove(path)
    finally:
        os.close(handle)


def _held(path: Path, handle: int) -> bool | None:
    """Lock an open file; whether it is locked now and still has its name. None where the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except OSError:
        return False

"""The trainer's Unix domain socket: where it is, and how its place is taken without removing what is not ours."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from vmaftune.errors import UserError

SOCKET_VARIABLE = "VMAFTUNE_TRAINER_SOCKET"
_BACKLOG = 128
_LONGEST_PATH_BYTES = 107 if sys.platform == "linux" else 103
"""What the system has room for in a socket's address."""


def default_socket(cache: Path) -> Path:
    """``VMAFTUNE_TRAINER_SOCKET``, else beside what waits for the trainer in the cache folder.

    Not in the user's runtime folder: who has a cache folder of his own, as a test has, must not meet the trainer of others.
    """
    return Path(os.environ.get(SOCKET_VARIABLE) or cache / "trainer" / "trainer.sock")


def check_length(path: Path) -> None:
    """Raises UserError where no socket can have this path."""
    if len(os.fsencode(path)) > _LONGEST_PATH_BYTES:
        raise UserError(f"--socket {path} is longer than the {_LONGEST_PATH_BYTES} bytes that a socket may have")


@contextlib.contextmanager
def owned(path: Path, what: str) -> Iterator[None]:
    """Hold ``<path>.lock``, readable by its owner only.

    Raises:
        UserError: another process holds it, or it cannot be made.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"), mode=0o600)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise UserError(f"another trainer uses {what} {path}; stop it, or name another one") from error
    except OSError as error:
        raise UserError(f"cannot lock {what} {path}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket of mode 0600 at ``path``; its file is removed in the end. To be called while no thread runs.

    Raises:
        UserError: something that is not a stale socket of ours is there, or it cannot be made.
    """
    check_length(path)
    with owned(path, "the socket"), contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as made:
        try:
            _make_room(path)
            before = os.umask(0o177)  # it is never open to others, not even for a moment
            try:
                made.bind(str(path))
            finally:
                os.umask(before)
            made.listen(_BACKLOG)
            ours = identity(path)
        except OSError as error:
            raise UserError(f"cannot listen at {path}: {error.strerror or error}") from error
        try:
            yield made
        finally:
            if identity(path) == ours:
                with contextlib.suppress(OSError):
                    path.unlink()


def identity(path: Path) -> tuple[int, int] | None:
    """Tells a file from another one that has taken its place; None where there is none."""
    try:
        there = path.lstat()
    except OSError:
        return None
    return there.st_dev, there.st_ino


def _make_room(path: Path) -> None:
    """Remove a socket that a killed trainer of ours left.

    Raises:
        UserError: what is there is something else.
    """
    try:
        there = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(there.st_mode):
        raise UserError(f"{path} is a symbolic link, not a socket; it is left alone: name another --socket")
    if not stat.S_ISSOCK(there.st_mode):
        raise UserError(f"{path} is there and is no socket; it is left alone: name another --socket")
    if there.st_uid != os.geteuid():
        raise UserError(f"the socket {path} belongs to another user; it is left alone: name another --socket")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            raise UserError(f"cannot tell whether somebody serves {path}: {error.strerror or error}") from error
    raise UserError(f"another program serves {path}; name another --socket")

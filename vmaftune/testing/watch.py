"""What this process writes outside one folder and whom it reaches over the network, by Python's audit events (PEP 578).

What a library in C does on its own, and what other processes do that are started, raises no event and is not seen.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    # event: places, in its arguments, of each path that changes and of the folder (dir_fd) which that is relative to
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
}
_SENDS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What was seen so far, in words. Arguments as of ``watch``."""

    folder: Path
    local_sockets: bool
    writes: list[str] = field(default_factory=list)
    reaches: list[str] = field(default_factory=list)

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event."""
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITING:
                self._changed("opened for writing", path, None)
        elif event in _CHANGES:
            for path_at, folder_at in _CHANGES[event]:
                self._changed(event, arguments[path_at], None if folder_at is None else arguments[folder_at])
        elif event == "sqlite3.connect":
            name, _, options = os.fsdecode(arguments[0]).removeprefix("file:").partition("?")
            if "mode=ro" not in options and "mode=memory" not in options:
                self._changed(event, name, None)
        elif event in _SENDS:
            local = self.local_sockets and arguments[0].family == socket.AF_UNIX
            if arguments[1] is not None and not local:
                self.reaches.append(f"{event} {arguments[1]!r}")
        elif event in _LOOKS_UP:
            self.reaches.append(f"{event} {arguments[0]!r}")

    def _changed(self, event: str, path: Any, folder: int | None) -> None:
        where = _absolute(path, folder)
        if where is None or where.is_relative_to(self.folder):
            return
        if event == "os.mkdir" and where.is_dir():
            return  # nothing is made
        if where.exists() and stat.S_ISCHR(where.stat().st_mode):
            return  # /dev/null and its like
        self.writes.append(f"{where} ({event})")


def watch(folder: Path, *, local_sockets: bool) -> Watched:
    """Begin to watch; there is no end to it but that of the process.

    Args:
        folder: without symbolic links; what is written in it is not noted.
        local_sockets: sockets of this host (AF_UNIX) are no network.
    """
    watched = Watched(folder=folder, local_sockets=local_sockets)
    sys.addaudithook(watched.see)
    return watched


def _absolute(path: Any, folder: int | None) -> Path | None:
    """Where a change takes place; None for a file that is open already, or is none, such as a database in memory."""
    if isinstance(path, int):
        return None
    name = os.fsdecode(path)
    if name in ("", ":memory:"):
        return None
    base = Path()
    if folder is not None and folder >= 0:
        try:
            base = Path(f"/proc/self/fd/{folder}").readlink()
        except OSError:
            return None  # no Linux: it cannot be told
    where = base / name
    # The last part may be a link that is itself what changes.
    return where.parent.resolve() / where.name

"""The temporary folder of one run: gone when the run ends, removed by the next run when it was killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vmaftune.errors import VmafTuneError
from vmaftune.state import leftovers
from vmaftune.state.room import room_told, way_out


@contextlib.contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """A fresh private folder below ``parent`` (default: the system's temporary folder, so ``TMPDIR`` moves it).

    Folders of this user's runs that died without cleaning up are removed on the way, as vmaftune.state.leftovers says;
    those of other users are left alone.

    Raises:
        VmafTuneError: no folder can be made there.
    """
    base = parent
    try:
        base = Path(tempfile.gettempdir()) if base is None else base
        folder, lock, handle = _made(base)
    except OSError as error:
        where = "" if base is None else f" in {base}"
        raise VmafTuneError(f"cannot make a temporary folder{where}: {error.strerror}; {way_out(parent)}") from error
    try:
        with room_told(parent):
            yield folder
    finally:
        leftovers.remove(lock)
        os.close(handle)


def _made(base: Path) -> tuple[Path, Path, int]:
    """A new folder, its lock, and the descriptor that holds the lock."""
    while True:
        lock, handle = leftovers.make(base, leftovers.LOCK)
        folder = leftovers.folder_of(lock)
        try:
            folder.mkdir(mode=0o700)
            return folder, lock, handle
        except BaseException as error:
            with contextlib.suppress(OSError):
                lock.unlink()
            os.close(handle)
            if not isinstance(error, FileExistsError):  # a folder of somebody else
                raise

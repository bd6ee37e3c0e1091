"""The temporary folder of one run: gone when the run ends, swept by the next run when it was killed."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from vmaftune.errors import VmafTuneError
from vmaftune.state.room import room_told, way_out

_PREFIX = "vmaf-tune-"
_OWNER = "owner.lock"


@contextlib.contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """A fresh private folder below ``parent`` (default: the system's temporary folder, so ``TMPDIR`` moves it).

    Folders of runs that died without cleaning up are removed on the way: a folder whose owner lock is free has no
    owner any more.

    Raises:
        VmafTuneError: no folder can be made there.
    """
    base = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep(base)
    try:
        folder, owner = _owned(base)
    except OSError as error:
        raise VmafTuneError(f"cannot make a temporary folder in {base}: {error.strerror}; {way_out(parent)}") from error
    try:
        with room_told(parent):
            yield folder
    finally:
        owner.release()
        shutil.rmtree(folder, ignore_errors=True)


def _owned(base: Path) -> tuple[Path, FileLock]:
    """A new folder and its held lock; made anew when a sweeping run took it for abandoned just before it was locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        owner = FileLock(folder / _OWNER)
        with contextlib.suppress(Timeout):
            owner.acquire(blocking=False)
            if (folder / _OWNER).is_file():
                return folder, owner
            owner.release()


def _sweep(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        # A folder without a lock file is one being made at this moment.
        if not (folder / _OWNER).is_file():
            continue
        with contextlib.suppress(OSError, Timeout):
            lock = FileLock(folder / _OWNER)
            lock.acquire(blocking=False)
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()

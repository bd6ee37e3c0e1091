"""A file of learned state that several processes share: read, changed and written whole under one lock."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from filelock import FileLock

_LOCK_SECONDS = 20.0
_SOURCES_KEPT = 500


class SourceResiduals(msgspec.Struct, frozen=True):
    """What is kept of one source: neither its name nor its path.

    Attributes:
        features: by which its captures are known to be of one source.
        captures: how many.
        residual_sum: of observed - predicted over them, in VMAF.
    """

    features: tuple[float, ...]
    captures: int
    residual_sum: float


class StateFile:
    """The sources that were learned from, the one that was learned from last at the end.

    Args:
        path: of the file; its folder need not exist.
        warn: told when the file cannot be used.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path, self._warn = path, warn

    def read(self) -> list[SourceResiduals]:
        """All sources; none where there is no file yet, or one that cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[SourceResiduals])
        except (FileNotFoundError, NotADirectoryError):
            return []
        except msgspec.DecodeError as error:
            self._warn(f"{self._path} cannot be read ({error}); learning begins anew")
            return []

    def update(self, change: Callable[[list[SourceResiduals]], list[SourceResiduals]]) -> None:
        """Replace the sources by what ``change`` makes of them. On return it is on the disk.

        Raises:
            OSError: it cannot be written; the file is then as it was before.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            self._write(msgspec.json.encode(change(self.read())[-_SOURCES_KEPT:]))

    def _write(self, content: bytes) -> None:
        # A reader sees the old file or the new one, never a half: renaming within a folder is atomic.
        with tempfile.NamedTemporaryFile(dir=self._path.parent, suffix=".tmp", delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self._path)

"""Samples that wait on the disk for a trainer: clients append to one file, the trainer takes it in whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from vmaftune.contract.learner import Sample
from vmaftune.trainer.messages import Request, parse

LARGEST_BYTES = 8 << 20
"""About 18,000 samples; fewer than the ids that the trainer remembers, so that none counts twice."""

_NAME = "waiting.jsonl"
_LOCK_SECONDS = 5.0
_TAKEN_AT_ONCE = 2000


class WaitingRoom:
    """The file, in the folder that clients and trainer share. For several processes at once.

    Args:
        folder: ``trainer`` in the cache folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._taking = folder / f"{_NAME}.taking"

    def append(self, lines: Sequence[bytes]) -> int:
        """Add request lines; how many there was room for, from the first on.

        Raises:
            OSError: the disk does not let us; TimeoutError among them, where the lock is held too long.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock(), self._path.open("ab") as file:
            size = file.tell()
            room = LARGEST_BYTES - size
            fitting: list[bytes] = []
            for line in lines:
                room -= len(line)
                if room < 0:
                    break
                fitting.append(line)
            if fitting:
                torn = size > 0 and not self._ends_whole()  # of a client that was killed
                try:
                    file.write((b"\n" if torn else b"") + b"".join(fitting))
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.truncate(self._path, size)
                    raise
        return len(fitting)

    def take_in(self, keep: Callable[[Sequence[Sample]], None], unix_seconds: float) -> tuple[int, int]:
        """Hand all samples to ``keep``, then remove them; how many samples, and how many lines that are none.

        Killed on the way, it hands them over once more; the spool knows those it has.

        Raises:
            OSError: they could not be read or kept, and are still there.
        """
        if not self._taking.exists():
            if not self._path.exists():
                return 0, 0
            with self._lock():
                self._path.rename(self._taking)  # clients begin a new one, nobody waits for the trainer
        samples: list[Sample] = []
        damaged = 0
        with self._taking.open("rb") as file:
            for line in file:
                try:
                    request = parse(line)
                except ValueError:
                    damaged += 1
                    continue
                if isinstance(request, Request):
                    samples.append(request.sample(unix_seconds))
        for start in range(0, len(samples), _TAKEN_AT_ONCE):
            keep(samples[start : start + _TAKEN_AT_ONCE])
        self._taking.unlink(missing_ok=True)
        return len(samples), damaged

    def _lock(self) -> FileLock:
        return FileLock(self._path.with_name(f"{_NAME}.lock"), timeout=_LOCK_SECONDS)

    def _ends_whole(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

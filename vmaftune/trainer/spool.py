"""The write-ahead spool: samples that were acknowledged, kept until the learner's snapshot covers them."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from vmaftune.contract.learner import Sample
from vmaftune.trainer.segments import find_segments, read_segment, record, segment_path, sync_file, sync_folder


class SpoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large it may become.

    Attributes:
        segment_bytes: of a file, after which a new one is begun.
        total_bytes: of all files; beyond it no sample is taken. Only reached where no snapshot can be written.
        remembered: ids that are recognised when they come again. Files stay until the newer ones hold so many samples, so that
            a restart knows them too.
    """

    segment_bytes: int = 4 << 20
    total_bytes: int = 1 << 30
    remembered: int = 65_536


class Spool:
    """Samples in the order of their arrival, each id once. Used from one thread at a time.

    Args:
        folder: of its own, made where it is missing.
        sync: whether ``append`` waits for the disk; without, a power cut may lose what was acknowledged, a kill does not.

    Attributes:
        taken: samples ever taken in.
        duplicates: samples since the start that had come before.
        damaged: lines that could not be read at the start.
        cut_bytes: what was cut off the last file at the start.

    Raises:
        OSError: it cannot be read or written.
    """

    def __init__(self, folder: Path, *, sync: bool = True, limits: SpoolLimits | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._sync, self._limits = folder, sync, limits or SpoolLimits()
        self._ids: dict[str, None] = {}  # in the order of arrival
        self._sizes: dict[int, int] = {}  # bytes of each segment, by its first sample
        self._handle: int | None = None
        self.taken = self.duplicates = self.damaged = self.cut_bytes = 0
        self._clean = True  # the end of the open segment is the end of its last durable sample
        self._read_back()

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(self._sizes.values())

    @property
    def segments(self) -> int:
        """How many files there are."""
        return len(self._sizes)

    def samples(self, after: int) -> Iterator[Sample]:
        """Those that came when ``after`` others had, as far as they are still kept."""
        for first, path in find_segments(self._folder):
            held = read_segment(path)[0][max(0, after - first) :]
            yield from (sample for sample in held if sample is not None)

    def append(self, samples: Sequence[Sample]) -> list[Sample]:
        """Take in samples; returns those that had not come before. On return they are durable.

        Raises:
            OSError: they could not be written; none of them was taken.
        """
        fresh: dict[str, Sample] = {}
        for sample in samples:
            if sample.id not in self._ids:
                fresh.setdefault(sample.id, sample)
        if fresh:
            self._write(b"".join(map(record, fresh.values())))
            self.taken += len(fresh)
            self._remember(fresh)
        self.duplicates += len(samples) - len(fresh)
        return list(fresh.values())

    def covered(self, taken: int) -> None:
        """The learner's snapshot holds the first ``taken`` samples: remove files that nobody needs any more."""
        firsts = sorted(self._sizes)
        for first, following in itertools.pairwise(firsts):
            if following > min(taken, self.taken - self._limits.remembered):
                return
            segment_path(self._folder, first).unlink(missing_ok=True)
            del self._sizes[first]

    def renumber(self, taken: int) -> None:
        """Begin anew where the learner is that holds all there is: the files are removed, the ids remembered."""
        self.close()
        for _, path in find_segments(self._folder):
            path.unlink()
        self._sizes.clear()
        self.taken = taken
        sync_folder(self._folder)

    def close(self) -> None:
        """Close the file that is open."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _read_back(self) -> None:
        for first, path in find_segments(self._folder):
            found, length = read_segment(path)
            self.cut_bytes += path.stat().st_size - length
            self.damaged += found.count(None)
            self._sizes[first] = length
            self.taken = max(self.taken, first + len(found))
            self._remember(sample.id for sample in found if sample is not None)
        if self._sizes:
            last = max(self._sizes)
            self._handle = os.open(segment_path(self._folder, last), os.O_WRONLY | os.O_CLOEXEC)
            self._clean = False
            self._clean_end()

    def _remember(self, ids: Iterable[str]) -> None:
        self._ids.update(dict.fromkeys(ids))
        if len(self._ids) > self._limits.remembered * 9 // 8:  # now and then, not each time
            for old in list(self._ids)[: -self._limits.remembered]:
                del self._ids[old]

    def _write(self, content: bytes) -> None:
        if self.size_bytes + len(content) > self._limits.total_bytes:
            raise OSError(errno.ENOSPC, "the spool is full, and no snapshot allows to empty it")
        self._clean_end()
        if self._handle is not None and os.fstat(self._handle).st_nlink == 0:
            self.close()  # somebody removed the folder; what is written to a file without a name is lost
            self._sizes.clear()
        if self._handle is None or self._sizes[max(self._sizes)] >= self._limits.segment_bytes:
            self._begin_segment()
        assert self._handle is not None
        self._clean = False
        try:
            written = 0
            while written < len(content):
                written += os.write(self._handle, memoryview(content)[written:])
            if self._sync:
                sync_file(self._handle)
        except OSError:
            with contextlib.suppress(OSError):  # tried again before the next write
                self._clean_end()
            raise
        self._sizes[max(self._sizes)] += len(content)
        self._clean = True

    def _begin_segment(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(segment_path(self._folder, self.taken), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            sync_folder(self._folder)
        except OSError:
            os.close(handle)
            raise
        self.close()
        self._handle = handle
        self._sizes[self.taken] = 0

    def _clean_end(self) -> None:
        """Cut off what a write that failed, or a kill, left after the last durable sample."""
        if not self._clean and self._handle is not None:
            length = self._sizes[max(self._sizes)]
            os.ftruncate(self._handle, length)
            os.lseek(self._handle, length, os.SEEK_SET)
            self._clean = True

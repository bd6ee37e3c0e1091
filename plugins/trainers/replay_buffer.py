"""The replay buffer: the newest samples, each a row of float32, from which old ones are drawn again."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from vmaftune.state import atomic
from vmaftune.state.arrays import read_arrays

Rows = npt.NDArray[np.float32]


class BufferStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a buffer holds.

    Attributes:
        pushed: rows ever pushed.
        held: rows held, at most ``capacity``.
        evicted: rows that newer ones took the place of.
        nbytes: memory of the rows.
    """

    pushed: int
    held: int
    evicted: int
    capacity: int
    nbytes: int


class ReplayBuffer:
    """A ring of rows: the newest one takes the place of the oldest, in constant time.

    One thread may push while another one samples. Rows are known by their number, counted from 0 since the first push.

    Args:
        capacity: rows that it holds at most.
        width: columns of a row.

    >>> buffer = ReplayBuffer(capacity=3, width=1)
    >>> for value in range(5):
    ...     buffer.push(np.array([value]))
    >>> buffer.rows().ravel().tolist()
    [2.0, 3.0, 4.0]
    >>> ReplayBuffer(capacity=10_000, width=80).nbytes
    3200000
    """

    def __init__(self, capacity: int, width: int) -> None:
        if capacity < 1 or width < 1:
            raise ValueError(f"a buffer of {capacity} rows of {width} columns")
        self._ring: Rows = np.zeros((capacity, width), dtype=np.float32)
        self._pushed = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return min(self._pushed, len(self._ring))

    @property
    def pushed(self) -> int:
        """Rows ever pushed; the number that the next one gets."""
        return self._pushed

    @property
    def nbytes(self) -> int:
        """Memory of the rows: capacity x width x 4 bytes, from the beginning on."""
        return self._ring.nbytes

    @property
    def statistics(self) -> BufferStatistics:
        """Counts and memory; from any thread."""
        pushed, capacity = self._pushed, len(self._ring)
        held = min(pushed, capacity)
        return BufferStatistics(
            pushed=pushed, held=held, evicted=pushed - held, capacity=capacity, nbytes=self._ring.nbytes
        )

    def push(self, row: npt.ArrayLike) -> None:
        """Take in one row, shape (width,)."""
        with self._lock:
            self._ring[self._pushed % len(self._ring)] = row
            self._pushed += 1

    def rows(self) -> Rows:
        """A copy of what it holds, oldest first, shape (held, width)."""
        with self._lock:
            return self._ring[self._slots(np.arange(self._first(), self._pushed))]

    def at(self, numbers: npt.NDArray[np.int64]) -> Rows:
        """Copies of the rows of these numbers, shape (n, width); where one was evicted, the one in its place."""
        with self._lock:
            return self._ring[self._slots(numbers)]

    def sample(self, count: int, random: np.random.Generator, *, before: int | None = None) -> Rows:
        """Rows drawn uniformly, with replacement, shape (count, width).

        Args:
            before: only rows of lower numbers are drawn; None draws from all.

        Raises:
            ValueError: there is none.
        """
        with self._lock:
            first, end = self._first(), self._pushed if before is None else min(before, self._pushed)
            # Where the reader has fallen far behind, what it may draw from was evicted: it draws from what there is.
            first = min(first, max(end - 1, 0))
            if end <= first:
                raise ValueError("the buffer is empty")
            return self._ring[self._slots(random.integers(first, end, count))]

    def sample_recent(
        self, count: int, random: np.random.Generator, *, recent: int, share: float = 0.5, before: int | None = None
    ) -> Rows:
        """Rows of which a share is the newest, each once, and the rest is drawn uniformly; shape (count, width).

        Args:
            recent: how many of the newest rows there are to take; the share is smaller where they are few.
            share: of the rows that are the newest, 0 to 1.
            before: as in ``sample``.

        Raises:
            ValueError: there is none.
        """
        end = self._pushed if before is None else min(before, self._pushed)
        newest = min(round(share * count), recent, end)
        new = self.at(np.arange(end - newest, end))
        return np.concatenate([new, self.sample(count - newest, random, before=before)])

    def state(self) -> dict[str, np.ndarray]:
        """A copy of all that ``restored`` needs."""
        with self._lock:
            held = self._ring[self._slots(np.arange(self._first(), self._pushed))]
            return {"rows": held, "pushed": np.array(self._pushed), "capacity": np.array(len(self._ring))}

    @classmethod
    def restored(cls, state: dict[str, Any], capacity: int | None = None) -> ReplayBuffer:
        """A buffer as it was when ``state`` was called.

        Args:
            capacity: in place of what it had; a smaller one keeps the newest rows.

        Raises:
            ValueError: the state is none.
        """
        rows, pushed = np.asarray(state["rows"], dtype=np.float32), int(state["pushed"])
        if rows.ndim != 2 or not np.isfinite(rows).all() or len(rows) > pushed:
            raise ValueError("the rows of the buffer are damaged")
        buffer = cls(int(state["capacity"]) if capacity is None else capacity, rows.shape[1])
        rows = rows[max(len(rows) - len(buffer._ring), 0) :]
        buffer._pushed = pushed
        buffer._ring[buffer._slots(np.arange(pushed - len(rows), pushed))] = rows
        return buffer

    def snapshot(self, path: Path) -> None:
        """Write it to one ``.npz`` file, whole or not at all. Raises OSError."""
        content = io.BytesIO()
        np.savez(content, **self.state())  # type: ignore[arg-type]
        atomic.write(path, content.getvalue(), private=True)

    @classmethod
    def restore(cls, path: Path) -> ReplayBuffer:
        """Read what ``snapshot`` wrote. Raises OSError, and ValueError where the file is none."""
        try:
            return cls.restored(read_arrays(path))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is no buffer: {error}") from error

    def _first(self) -> int:
        return max(0, self._pushed - len(self._ring))

    def _slots(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return numbers % len(self._ring)

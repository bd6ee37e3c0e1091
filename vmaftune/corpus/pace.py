"""How fast a measurement goes, and how long what is left of it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_ROWS_LOOKED_BACK = 30
_LEAST_ROWS = 5


class Pace:
    """Estimates from the last rows, since another curve or size has another pace. Nothing is said before there are some.

    Args:
        work: of all rows to come. The unit is free; frames times scored pixels is about what time goes by.
        clock: seconds, rising.
    """

    def __init__(self, work: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._left = work
        self._clock = clock
        self._recent: deque[tuple[float, float]] = deque(maxlen=_ROWS_LOOKED_BACK + 1)

    def measured(self, work: float) -> None:
        """A row was measured now."""
        self._left -= work
        self._recent.append((self._clock(), work))

    def given_up(self, work: float) -> None:
        """Rows that will not be measured."""
        self._left -= work

    @property
    def rows_per_minute(self) -> float | None:
        """Of the last rows; None at the start."""
        seconds = self._seconds()
        return None if seconds is None else 60.0 * (len(self._recent) - 1) / seconds

    @property
    def seconds_left(self) -> float | None:
        """None at the start."""
        seconds = self._seconds()
        if seconds is None:
            return None
        done = sum(work for _, work in self._recent) - self._recent[0][1]
        return max(0.0, self._left) * seconds / done

    def _seconds(self) -> float | None:
        """What the rows after the first of those looked back at took."""
        if len(self._recent) <= _LEAST_ROWS:
            return None
        return max(self._recent[-1][0] - self._recent[0][0], 1e-3)

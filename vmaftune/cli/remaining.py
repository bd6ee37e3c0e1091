"""How long a search will take yet, from what its probes took and how likely each is to be the last."""

from __future__ import annotations

_MORE_AFTER_A_MISS = 1.5
"""Verifying probes after one that misses; most searches hit with the next."""

_UNKNOWN_CHANCE = 0.5
_VERIFYING_FOR_EXPLORING = 2.0
"""Time of a verifying probe where only exploring ones were timed; the first costs 1.25 to 4 times the other."""

_LEAST_SHARE = 0.03


class Remaining:
    """An expectation, that is all: a search ends when a probe hits."""

    def __init__(self) -> None:
        self._verified: list[float] = []
        self._began = 0.0
        self._exploring = False
        self._chance = _UNKNOWN_CHANCE

    def probing(self, now: float, probability: float | None, *, explore: bool) -> None:
        """A probe begins.

        Args:
            now: time in seconds, of any clock.
            probability: that it ends the search.
        """
        self._began, self._exploring = now, explore
        self._chance = _UNKNOWN_CHANCE if probability is None else probability

    def probed(self, now: float) -> None:
        """The probe has ended."""
        if not self._exploring:
            self._verified.append(now - self._began)

    def seconds(self, now: float, share: float) -> float | None:
        """Seconds that the search is expected to take yet; None while too little of the probe is done to tell.

        Args:
            share: of the probe that is done, 0 to 1.
        """
        if share < _LEAST_SHARE:
            return None
        whole = (now - self._began) / share
        left = whole * (1.0 - share)
        if self._verified:
            verifying = sum(self._verified) / len(self._verified)
        else:
            verifying = whole * (_VERIFYING_FOR_EXPLORING if self._exploring else 1.0)
        further = 1.0 if self._exploring else (1.0 - self._chance) * _MORE_AFTER_A_MISS
        return left + further * verifying

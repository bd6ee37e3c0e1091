"""Who wants to know how long work on a corpus will take."""

from __future__ import annotations


class Watcher:
    """Told how work goes, from the thread that it was begun in; this one does nothing with it."""

    def begun(self, count: int, there: int, work: float) -> None:
        """``count`` pieces are to be done, of so much ``work`` (in proportion to time); ``there`` are done since before."""

    def done(self, what: str, work: float) -> None:
        """One is done."""

    def failed(self, name: str, reason: str, work: float) -> None:
        """One cannot be done, for a reason in one line."""

    def warned(self, text: str) -> None:
        """Something that the user should know, in one line."""

"""Who is told of what a job does: a screen, a stream of events, a batch."""

from __future__ import annotations

from pathlib import Path

from vmaftune.contract.curves import FloatArray
from vmaftune.crf_search.engine import Observer
from vmaftune.crf_search.source import PreparedSource


class JobObserver(Observer):
    """Told of a search and of the full encode after it; does nothing by itself. What it raises ends ffmpeg and the job."""

    def measured(self, source: PreparedSource) -> None:
        """A source is read, cut and measured, to be predicted and not searched."""

    def searching(self, what: str) -> None:
        """One search, or one row of encodes, of a job that makes several begins; ``what`` names it to a person."""

    def score_progress(self, share: float) -> None:
        """The comparison of two files has done this share of their frames, 0 to 1."""

    def encoding(self, output: Path, crf: float, frames: int) -> None:
        """The full encode begins."""

    def encode_progress(self, share: float) -> None:
        """The full encode has done this share of its frames, 0 to 1."""

    def checking(self, what: str) -> None:
        """A check of the finished encode begins: ``decode`` or ``score``."""

    def check_progress(self, share: float) -> None:
        """The check has done this share of its frames, 0 to 1."""

    def scored(self, scores: FloatArray) -> None:
        """Score of every frame of the finished encode, shape (frames,), in order."""

"""What a person sees of a job that makes several rows of probes: a heading for each, and its probes."""

from __future__ import annotations

from vmaftune.cli.screen import Screen
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Goal
from vmaftune.types import ProbeRecord


class RowScreen(Screen):
    """A search's screen with a heading for each row; the source is named once, and so is each probe."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._named = False
        self._shown: set[tuple[str, float, float, float]] = set()

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self._target = goal.target
        if not self._named:
            self._named = True
            super().prepared(source, goal)

    def searching(self, what: str) -> None:
        """A heading."""
        self.note(f"{what}:")

    def probed(self, record: ProbeRecord) -> None:
        identity = (record.purpose, record.crf, record.vmaf, record.bitrate_kbps)
        if identity not in self._shown:
            self._shown.add(identity)
            super().probed(record)

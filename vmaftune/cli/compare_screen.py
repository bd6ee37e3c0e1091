"""What a person sees of a job that makes several rows of probes: a heading for each, and its probes."""

from __future__ import annotations

from vmaftune.cli.screen import Screen
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Goal


class RowScreen(Screen):
    """A search's screen with a heading for each row; the source is named once."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._named = False

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self._target = goal.target
        self.measured(source)
        if not self._named:
            self._named = True
            super().prepared(source, goal)

    def searching(self, what: str) -> None:
        """A heading."""
        self.note(f"{what}:")

"""What a person sees of work on a corpus: a bar on a terminal, a line for each piece in a pipe, failures at its end."""

from __future__ import annotations

import time

from rich.progress import BarColumn, TaskID, TextColumn
from rich.text import Text

from vmaftune.cli.corpus_screen import span
from vmaftune.cli.live import LiveLine
from vmaftune.corpus.pace import Pace
from vmaftune.tiny.corpus.watch import Watcher


class WorkScreen(LiveLine, Watcher):
    """Shows work on standard error.

    Args:
        unit: what is counted, in the plural.

    Attributes:
        count: of pieces, there before or not.
        done_now: of them, by this run.
        failures: a line for each.
    """

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.count = self.done_now = 0
        self.failures: list[str] = []
        self._unit = unit
        self._began = time.monotonic()
        self._pace = Pace(0.0)
        self._task: TaskID | None = None

    def begun(self, count: int, there: int, work: float) -> None:
        self.count, self._pace = count + there, Pace(work)
        if not count:
            return
        self._say(f"{count} {self._unit} to do, {there} there")
        display = self.show_live(
            TextColumn(f"  {{task.completed}}/{{task.total}} {self._unit}"),
            BarColumn(30),
            TextColumn("{task.description}"),
        )
        if display is not None:
            self._task = display.add_task(self._expected(), total=count)

    def done(self, what: str, work: float) -> None:
        self._pace.measured(work)
        self.done_now += 1
        if self.display is None:
            self._say(f"{self.done_now}/{self.count} {what}  ({self._expected()})")
        self._advance()

    def failed(self, name: str, reason: str, work: float) -> None:
        self._pace.given_up(work)
        self.failures.append(reason if name in reason else f"{name}: {reason}")
        self._say(f"failed: {self.failures[-1]}")
        self._advance()

    def warned(self, text: str) -> None:
        self._say(f"vmaf-tune: {text}")

    def result(self) -> str:
        """What was done, in one line."""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{self.count} {self._unit}, {self.done_now} done now in {span(time.monotonic() - self._began)}{failed}"

    def _advance(self) -> None:
        if self.display is not None and self._task is not None:
            self.display.update(self._task, advance=1, description=self._expected())

    def _expected(self) -> str:
        left = self._pace.seconds_left
        return "estimating…" if left is None else f"about {span(left)} left"

    def _say(self, text: str) -> None:
        self.console.print(Text(" ".join(text.split())))

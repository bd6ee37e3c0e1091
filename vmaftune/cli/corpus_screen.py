"""What a person sees of a measurement: a bar on a terminal, a line for each row in a pipe, and the failures at its end."""

from __future__ import annotations

import time

from rich.progress import BarColumn, TaskID, TextColumn
from rich.text import Text

from vmaftune.cli.live import LiveLine
from vmaftune.corpus.failures import Failure, summary
from vmaftune.corpus.pace import Pace
from vmaftune.corpus.rows import CorpusRow
from vmaftune.corpus.schedule import Observer
from vmaftune.encoders.spec import number
from vmaftune.media.facts import shown


class CorpusScreen(LiveLine, Observer):
    """Shows a measurement on standard error.

    Attributes:
        rows: in the file, from the beginning on.
        measured_now: of them, by this run.
        failures: in the order they came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.measured_now = 0
        self.failures: list[Failure] = []
        self._total = self._done = 0
        self._began = time.monotonic()
        self._pace = Pace(0.0)
        self._task: TaskID | None = None

    def begun(self, rows: int, there: int, work: float) -> None:
        self._total, self.rows, self._pace = rows, there, Pace(work)
        self.console.print(Text(f"{counted(rows)} to measure, {there} there", style="dim"))
        if not rows:
            return
        progress = self.show_live(
            TextColumn("  {task.completed}/{task.total} rows"), BarColumn(30), TextColumn("{task.description}")
        )
        if progress is not None:
            self._task = progress.add_task(self._expected(), total=rows)

    def measured(self, row: CorpusRow, work: float) -> None:
        self._pace.measured(work)
        self.rows += 1
        self.measured_now += 1
        preset = f" {row.preset}" if row.preset else ""
        what = f"{shown(row.clip)} {row.width}x{row.height} {row.encoder}{preset} CRF {number(row.crf)}"
        self._advance(1, None if self.display else f"{what}: VMAF {row.vmaf_mean:.2f}  ({self._expected()})")

    def failed(self, failure: Failure, rows: int, work: float) -> None:
        self._pace.given_up(work)
        self.failures.append(failure)
        self._advance(
            rows, f"failed: {failure}" + (f" ({counted(rows)} left out)" if failure.probe is None and rows else "")
        )

    def _advance(self, rows: int, line: str | None) -> None:
        self._done += rows
        if line is not None:
            self.console.print(Text(f"{self._done}/{self._total} {' '.join(line.split())}"))
        if self.display is not None and self._task is not None:
            self.display.update(self._task, completed=self._done, description=self._expected())

    def _expected(self) -> str:
        rate, left = self._pace.rows_per_minute, self._pace.seconds_left
        if rate is None or left is None:
            return "estimating…"
        return f"{rate:.{0 if rate >= 10 else 1}f} rows/min, about {span(left)} left"

    def result(self) -> str:
        """What was done, in one line."""
        failed = len(self.failures)
        seconds = time.monotonic() - self._began
        failures = f", {failed} failure{'' if failed == 1 else 's'}" if failed else ""
        return f"{counted(self.rows)}, {self.measured_now} measured now in {span(seconds)}{failures}"

    def show_failures(self) -> None:
        """A line for each reason."""
        for line in summary(self.failures):
            self.console.print(Text(f"  {' '.join(line.split())}"))


def counted(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def span(seconds: float) -> str:
    """A time as a person says it: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"

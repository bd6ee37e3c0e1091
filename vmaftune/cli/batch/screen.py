"""What a person sees of a batch: every running file with its step, and all of it at the bottom; in a pipe, plain lines."""

from __future__ import annotations

import time

from rich.progress import TaskID
from rich.text import Text

from vmaftune.batch.estimate import Estimate
from vmaftune.batch.messages import Result, Step
from vmaftune.batch.queue import Enqueued, Row
from vmaftune.batch.run import BatchObserver
from vmaftune.cli.batch.display import BatchDisplay
from vmaftune.cli.corpus_screen import span
from vmaftune.cli.live import LiveLine
from vmaftune.media.facts import shown

_ESTIMATE_SECONDS = 1.0


class BatchScreen(LiveLine, BatchObserver):
    """Shows a batch on standard error.

    Attributes:
        ended_now: results by row, of this run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ended_now: dict[int, Result] = {}
        self._estimate = Estimate()
        self._running: dict[int, tuple[Row, Step, TaskID | None]] = {}
        self._waiting, self._waiting_work = 0, 0.0
        self._done = self._failed = 0
        self._all: TaskID | None = None
        self._said_at = 0.0
        self._warned: dict[int, set[str]] = {}

    def begin(self, enqueued: Enqueued | None, counts: dict[str, int]) -> None:
        """The queue is filled; ``counts`` are of the rows that this batch is about."""
        self._done, self._failed, self._waiting = counts["done"], counts["failed"], counts["queued"]
        said = [f"{files(counts['queued'])} to do"]
        said += [f"{counts['done']} done before"] if counts["done"] else []
        said += [f"{counts['failed']} failed before (vmaf-tune batch retry)"] if counts["failed"] else []
        said += [f"{counts['running']} running in another batch"] if counts["running"] else []
        said += [f"{enqueued.changed} again, for they changed"] if enqueued is not None and enqueued.changed else []
        self.console.print(Text(", ".join(said), style="dim"))
        if counts["queued"]:
            display = self.show_live(kind=BatchDisplay)
            if display is not None:
                self._all = display.add_task("all", total=sum(counts.values()), state="", narrow="", all=True)
                self._refresh()

    def began(self, row: Row) -> None:
        self._waiting -= 1
        task = None
        if self.display is not None:
            task = self.display.add_task(shown(row.path.name), total=1.0, state="reading")
        self._running[row.id] = (row, Step(), task)
        self._refresh()

    def step(self, row: Row, step: Step) -> None:
        if row.id not in self._running:
            return
        if step.warning is not None:
            self._warn(row, step.warning)
            return
        task = self._running[row.id][2]
        self._running[row.id] = (row, step, task)
        if self.display is not None and task is not None:
            verified = "" if step.verified is None else f"  {step.measure.text(step.verified[1])}"
            self.display.update(task, completed=step.done, state=f"{step.what} {100 * step.share:.0f} %{verified}")
        self._refresh()

    def ended(self, row: Row, result: Result) -> None:
        self.ended_now[row.id] = result
        for line in result.warnings:  # those of a cluster may come with the result first
            self._warn(row, line)
        self._forget(row)
        self._estimate.ended(row.work or 0.0)
        self._done += not result.code
        self._failed += bool(result.code)
        self._refresh(at_once=True)

    def again(self, row: Row, reason: str) -> None:
        self._forget(row)
        self._waiting += 1
        self._warn(row, f"{reason}; it was begun again")

    def waiting(self, jobs: int, work: float) -> None:
        self._waiting, self._waiting_work = jobs, work
        self._refresh()

    def _warn(self, row: Row, line: str) -> None:
        """Once for each file, which it names."""
        told = self._warned.setdefault(row.id, set())
        if line not in told:
            told.add(line)
            name = shown(row.path.name)
            self.console.print(Text(line if line.startswith(f"{name}: ") else f"{name}: {line}", style="yellow"))

    @property
    def _todo(self) -> int:
        return self._waiting + len(self._running)

    def _left(self) -> str:
        """How long what is to do yet will take; nothing where that is not known."""
        running = [(row.work or 0.0, step.done) for row, step, _ in self._running.values()]
        seconds = self._estimate.seconds_left(self._waiting_work, running)
        return span(seconds) if seconds is not None and self._todo else ""

    def _forget(self, row: Row) -> None:
        _, _, task = self._running.pop(row.id, (row, Step(), None))
        if self.display is not None and task is not None:
            self.display.remove_task(task)

    def _refresh(self, *, at_once: bool = False) -> None:
        if self.display is None or self._all is None:
            return
        now = time.monotonic()
        if at_once or now - self._said_at > _ESTIMATE_SECONDS:
            self._said_at = now
            ended = self._done + self._failed
            failed = f", {self._failed} failed" if self._failed else ""
            left = self._left()
            state = f"{ended} of {ended + self._todo} done{failed}{f', about {left} left' if left else ''}"
            narrow = f"{ended}/{ended + self._todo}{failed}{f', {left} left' if left else ''}"
            self.display.update(self._all, completed=ended, state=state, narrow=narrow)


def files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"

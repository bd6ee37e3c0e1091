"""An observer that makes an event of each thing it is told of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from vmaftune.batch.messages import Result, Step
from vmaftune.batch.queue import Row
from vmaftune.batch.run import BatchObserver
from vmaftune.events.schema import Event, FileAgain, FileBegan, FileEnded, FileStep, Queued, Warned

_STEP_SECONDS = 0.25


class BatchEvents(BatchObserver):
    """Makes events.

    Args:
        send: takes each event; what it raises ends the batch.
    """

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send
        self._told: dict[int, float] = {}

    def begin(self, counts: Mapping[str, int]) -> None:
        """The queue is filled; ``counts`` are of the rows that this batch is about, by state."""
        self._send(Queued(to_do=counts["queued"], done=counts["done"], failed=counts["failed"]))

    def began(self, row: Row) -> None:
        self._send(FileBegan(file=str(row.path), output=_output(row)))

    def step(self, row: Row, step: Step) -> None:
        now = time.monotonic()
        if step.warning is not None:
            self._send(Warned(text=f"{row.path}: {step.warning}"))
        elif now - self._told.get(row.id, -_STEP_SECONDS) >= _STEP_SECONDS:
            self._told[row.id] = now
            share, done = round(step.share, 4), round(step.done, 4)
            self._send(FileStep(file=str(row.path), what=step.what, share=share, done=done))

    def ended(self, row: Row, result: Result) -> None:
        self._told.pop(row.id, None)
        self._send(
            FileEnded(
                file=str(row.path),
                output=_output(row),
                code=result.code,
                reason=result.reason or None,
                seconds=result.seconds,
                report=result.report,
                warnings=result.warnings,
            )
        )

    def again(self, row: Row, reason: str) -> None:
        self._send(FileAgain(file=str(row.path), reason=reason))


def _output(row: Row) -> str | None:
    return None if row.output_path is None else str(row.output_path)

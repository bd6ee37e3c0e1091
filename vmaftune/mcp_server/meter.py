"""Progress of a call as its client is told of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from vmaftune.events.schema import Event, Predicted, Prepared, Probed, Probing, Progress
from vmaftune.quality.measure import USUAL_MEASURE

Report = Callable[[float, float | None, str | None], Awaitable[None]]
"""Takes progress, total (None where it cannot be known) and a word on it."""

_LEAST_STEP = 1e-3


class Meter:
    """Makes progress notifications of a job's events. Progress is counted in steps: a probe, or a comparison, is one.

    Args:
        report: sends a notification.
        steps: in all; None where it cannot be known, as of a search.
        done: steps that are done before this job begins.
    """

    def __init__(self, report: Report, steps: int | None, done: int = 0) -> None:
        self._report, self._steps, self._done = report, steps, done
        self._told = float(done)
        self._what: str | None = None
        self._measure = USUAL_MEASURE

    async def __call__(self, event: Event) -> None:
        """One event of the job."""
        if isinstance(event, Progress):
            await self._tell(self._done + event.share)
        elif isinstance(event, Prepared):
            await self._tell(self._done, f"{event.encoder}: {event.width}x{event.height}, measured")
        elif isinstance(event, Predicted):
            self._measure = event.measure
            await self._tell(self._done, f"{event.measure.text(event.score, '.1f')} is expected at CRF {event.crf:g}")
        elif isinstance(event, Probing):
            await self._tell(self._done, f"probe {event.number}: CRF {event.crf:g}")
        elif isinstance(event, Probed):
            self._done += 1
            scored = self._measure.text(event.probe.score)
            await self._tell(self._done, f"CRF {event.probe.crf:g} gives {scored}")

    async def _tell(self, progress: float, what: str | None = None) -> None:
        """The protocol wants progress to rise with every notification."""
        self._what = what or self._what
        self._told = max(progress, self._told + _LEAST_STEP)
        if self._steps is not None:
            self._told = min(self._told, float(self._steps))
        await self._report(self._told, None if self._steps is None else float(self._steps), self._what)

"""Doing the probes of a corpus, several at a time: sources are prepared as they come up, and rows written as they are done."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import msgspec

from vmaftune.corpus.curves import Curve
from vmaftune.corpus.failures import Failure
from vmaftune.corpus.rendition import Prepared, Rendition, RenditionKey, measure_row, prepare
from vmaftune.corpus.rows import CorpusRow, RowKey, RowWriter
from vmaftune.corpus.sources import Source
from vmaftune.encoders.spec import number
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.features.pilot import PilotPlan, pilot_plan
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import shown
from vmaftune.undisturbed import Pool


class Observer:
    """Told how a measurement goes, from the thread that it was begun in; this one does nothing with it."""

    def begun(self, rows: int, there: int, work: float) -> None:
        """``rows`` are to be measured, whose ``work`` is as Rendition's; ``there`` are in the file before that."""

    def measured(self, row: CorpusRow, work: float) -> None:
        """A row is in the file."""

    def failed(self, failure: Failure, rows: int, work: float) -> None:
        """So many rows will not be measured, for one reason."""


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition to bring to its size and measure the features of, with the pilot of some encoders."""

    rendition: Rendition
    plan: PilotPlan

    @property
    def key(self) -> PreparationKey:
        """Clip, height in pixels, and the pilot's family."""
        return (*self.rendition.key, self.plan.family)


PreparationKey = tuple[str, int, str]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A row to measure."""

    rendition: Rendition
    curve: Curve
    crf: float

    @property
    def key(self) -> RowKey:
        """Of its row."""
        clip, height = self.rendition.key
        return (clip, height, self.curve.spec.name, self.curve.preset, self.crf)

    @property
    def preparation(self) -> Preparation:
        """What must be done before it."""
        return Preparation(rendition=self.rendition, plan=pilot_plan(self.curve.spec.pilot_family))

    def __str__(self) -> str:
        width, height = self.rendition.size
        preset = f" {self.curve.preset}" if self.curve.preset else ""
        return f"{width}x{height} {self.curve.spec.name}{preset} CRF {number(self.crf)}"


class Schedule:
    """Does probes in their order, and prepares a rendition for an encoder when the first such probe comes.

    All is decided and all rows are written in one thread; the jobs do nothing but run ffmpeg. Probes whose rendition is being
    prepared are passed over, so that nothing else waits for it.

    Args:
        probes: rows that are not there yet.
        writer: takes the rows.
        max_frames: only the first so many frames of each source; None takes all.
        folder: for scaled sources and logs, removed when they are not needed any more.
    """

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        probes: Sequence[Probe],
        writer: RowWriter,
        max_frames: int | None,
        folder: Path,
        observer: Observer,
    ) -> None:
        self._ffmpeg, self._writer, self._observer = ffmpeg, writer, observer
        self._max_frames, self._folder = max_frames, folder
        self._todo = deque(probes)
        self._left = Counter(probe.rendition.key for probe in probes)
        self._folders = {key: folder / f"source-{number}" for number, key in enumerate(self._left)}
        self._prepared: dict[PreparationKey, Prepared] = {}
        self._preparing: set[RenditionKey] = set()
        self._frames_there = {(row.clip, row.height): row.frames for row in writer.rows}
        self._given_up: set[Source] = set()
        self._stop = threading.Event()

    def run(self, jobs: int) -> None:
        """Do all of them, ``jobs`` at a time; when that is interrupted, those that run are ended.

        Raises:
            VmafTuneError: a row could not be written.
        """
        running: dict[Future[Any], Probe | Preparation] = {}
        with Pool(jobs) as pool:
            try:
                while True:
                    while len(running) < jobs and (job := self._next()) is not None:
                        running[self._submit(pool, job)] = job
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        self._ended(running.pop(future), future)
            except BaseException:
                self._stop.set()
                raise

    def _submit(self, pool: Pool, job: Probe | Preparation) -> Future[Any]:
        return pool.submit(self._measure, job) if isinstance(job, Probe) else pool.submit(self._prepare, job)

    def _next(self) -> Probe | Preparation | None:
        """What can be begun now; None where all that is left waits for a rendition, or nothing is left."""
        for place, probe in enumerate(self._todo):
            if probe.preparation.key in self._prepared:
                del self._todo[place]
                return probe
            if probe.rendition.key not in self._preparing:
                self._preparing.add(probe.rendition.key)
                return probe.preparation
        return None

    def _prepare(self, preparation: Preparation) -> Prepared:
        rendition = preparation.rendition
        folder = self._folders[rendition.key]
        prepared = prepare(self._ffmpeg, rendition, preparation.plan, self._max_frames, folder, self._go_on)
        there = self._frames_there.get(rendition.key, prepared.frames)
        if there != prepared.frames:
            path, what = shown(rendition.source.path), f"its rows there are of {there} frames, these would be of"
            raise UserError(f"{path}: {what} {prepared.frames}; give the same --max-frames, or name another file")
        return prepared

    def _measure(self, probe: Probe) -> CorpusRow:
        source, prepared = probe.rendition.source, self._prepared[probe.preparation.key]
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            return measure_row(
                self._ffmpeg, source, prepared, probe.curve, probe.crf, self._max_frames, folder, self._go_on
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _go_on(self, frames: int) -> None:
        """ffmpeg is ended by what is raised here, while it tells of its progress."""
        if self._stop.is_set():
            raise _Stopped

    def _ended(self, job: Probe | Preparation, future: Future[Any]) -> None:
        result: Any = None
        failure = ""
        try:
            result = future.result()
        except VmafTuneError as error:
            failure = str(error)
        if isinstance(job, Probe):
            self._probe_ended(job, result, failure)
            return
        self._preparing.remove(job.rendition.key)
        if result is None:
            self._give_up(job.rendition.source, failure)
        else:
            self._prepared[job.key] = result
        self._release(job.rendition.key)

    def _probe_ended(self, probe: Probe, row: CorpusRow | None, failure: str) -> None:
        rendition = probe.rendition
        if row is None:
            failed = Failure(path=rendition.source.path, probe=str(probe), reason=failure)
            self._observer.failed(failed, 1, rendition.work)
        else:
            self._writer.append(row)
            self._observer.measured(row, rendition.work)
        self._left[rendition.key] -= 1
        self._release(rendition.key)

    def _give_up(self, source: Source, failure: str) -> None:
        """None of the source's probes is begun any more. Another rendition of it may have failed before: once is enough."""
        if source in self._given_up:
            return
        self._given_up.add(source)
        dropped = [probe for probe in self._todo if probe.rendition.source == source]
        self._todo = deque(probe for probe in self._todo if probe.rendition.source != source)
        self._left.subtract(probe.rendition.key for probe in dropped)
        work = sum(probe.rendition.work for probe in dropped)
        self._observer.failed(Failure(path=source.path, probe=None, reason=failure), len(dropped), work)
        for key in {probe.rendition.key for probe in dropped}:
            self._release(key)

    def _release(self, key: RenditionKey) -> None:
        """Remove the files of a rendition that nothing needs any more."""
        if not self._left[key]:
            self._prepared = {of: prepared for of, prepared in self._prepared.items() if of[:2] != key}
            shutil.rmtree(self._folders[key], ignore_errors=True)


class _Stopped(Exception):
    """Raised within a job whose result nobody waits for any more."""

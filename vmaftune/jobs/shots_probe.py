"""Sparse probes: few frames of few shots, those that leave the score of the whole most uncertain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.records import ProbeRecord, ProbeRequest
from vmaftune.crf_search.engine import told_probe
from vmaftune.crf_search.prober import Prober
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.host.run import PluginRun
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.session import Session
from vmaftune.shots.beliefs import Beliefs
from vmaftune.shots.detect import Shot
from vmaftune.shots.model import ShotModel
from vmaftune.shots.piece import Piece
from vmaftune.shots.prepare import ShotSource

_PROBED_FRAMES = 64
_SURE_VMAF = 0.35
"""Standard deviation of the whole's score, in VMAF or as much of another metric, from which on the whole itself is encoded and
measured."""


class SparseProbes:
    """Probes of the shots of one source, kept in the cache.

    Args:
        folder: for temporary files.

    Attributes:
        count, frames: of the probes that were run.
    """

    def __init__(
        self,
        session: Session,
        ffmpeg: Ffmpeg,
        source: ShotSource,
        models: Sequence[ShotModel],
        crfs: FloatArray,
        folder: Path,
        observer: JobObserver,
        run: PluginRun,
    ) -> None:
        self._session, self._ffmpeg, self._source, self._models = session, ffmpeg, source, models
        self._crfs, self._folder, self._observer, self._run = crfs, folder, observer, run
        self.count = self.frames = 0

    def teach(self, beliefs: Beliefs) -> None:
        """Probe until the whole is sure enough, or as many frames were encoded as it has."""
        seen: set[tuple[int, int]] = set()
        for n, model in enumerate(self._models):
            for record in self._cached(model):
                place = int(np.flatnonzero(self._crfs == record.crf)[0])
                seen.add((n, place))
                self._take_in(beliefs, n, place, record)
        sure = _SURE_VMAF * self._source.comparison.metric.grain
        while self.frames < self._source.frames.count:
            choice = beliefs.allocated()
            unsure = beliefs.unsure(choice)
            if math.sqrt(float((unsure**2).sum())) < sure:
                return
            following = [(n, int(choice[n])) for n in np.argsort(-unsure).tolist() if (n, int(choice[n])) not in seen]
            if not following:
                return
            n, place = following[0]
            seen.add((n, place))
            self._take_in(beliefs, n, place, self._probe(n, float(self._crfs[place])))

    def _take_in(self, beliefs: Beliefs, n: int, place: int, record: ProbeRecord) -> None:
        size = round(record.bitrate_kbps * 1000 / 8 * record.frames / self._source.facts.fps)
        beliefs.take_probe(n, place, record.score, size, record.frames)

    def _cached(self, model: ShotModel) -> list[ProbeRecord]:
        span = model.shot.middle(_PROBED_FRAMES)
        prober = self._prober(model, span, self._source.pieces.uncut(span))
        return [_of_shot(model, prober, record) for crf, record in prober.cached().items() if crf in self._crfs]

    def _probe(self, n: int, crf: float) -> ProbeRecord:
        model, settings = self._models[n], self._source.settings
        shot, span = model.shot, model.shot.middle(_PROBED_FRAMES)
        part = span.frames < shot.frames
        self.count += 1
        self.frames += span.frames
        self._observer.searching(f"shot {n + 1} of {len(self._models)}, frames {shot.start} to {shot.end - 1}")
        self._observer.begun(shot.frames)
        request = ProbeRequest(
            purpose="explore" if part else "verify",
            number=self.count,
            encoder=settings.spec.name,
            preset=settings.preset,
            crf=crf,
            frames=span.frames,
            samples=1,
            scale=self._source.scale,
        )

        def make() -> ProbeRecord:
            with self._source.pieces.of(span) as piece:
                prober = self._prober(model, span, piece)
                return _of_shot(model, prober, prober.probe(crf, self._observer.progress))

        return told_probe(request, make, self._run, self._observer)

    def _prober(self, model: ShotModel, span: Shot, piece: Piece) -> Prober:
        source = self._source.prepared(span, piece, model.measured)
        return self._session.prober(self._ffmpeg, source, self._folder, explore=False)


def _of_shot(model: ShotModel, prober: Prober, record: ProbeRecord) -> ProbeRecord:
    """A probe as it stands for its shot: one of a part of it says so, and how far off it may be.

    The first frame of a file has no motion and so a lower score than within the whole: it gets the second's.
    """
    scores = prober.frame_scores(record.crf)
    if scores is not None and len(scores) > 1:
        record = msgspec.structs.replace(record, score=float(np.append(scores[1:], scores[1]).mean()))
    if record.frames == model.shot.frames:
        return record
    return msgspec.structs.replace(record, purpose="explore", deviation=model.part_deviation(record.frames))

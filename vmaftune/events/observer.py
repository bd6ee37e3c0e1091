"""An observer that makes an event of each thing it is told of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vmaftune.contract.records import ProbeRecord
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.posterior import Posterior
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Goal
from vmaftune.events.schema import Checking, Encoding, Event, Predicted, Prepared, Probed, Probing, Progress, Searching
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search_report import sample_reports
from vmaftune.quality.measure import USUAL_MEASURE
from vmaftune.quality.scored import scored_by

_PROGRESS_SECONDS = 0.25


class EventObserver(JobObserver):
    """Makes events.

    Args:
        send: takes each event; what it raises ends the job.
    """

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send, self._measure = send, USUAL_MEASURE
        self._scored: dict[str, Any] = {}
        self._progress_at = -_PROGRESS_SECONDS

    def searching(self, what: str) -> None:
        self._send(Searching(what=what))

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self._prepared(source, goal)

    def measured(self, source: PreparedSource) -> None:
        self._prepared(source, None)

    def predicted(self, curve: PredictedCurve, crf: float, score: float) -> None:
        measure = self._measure
        self._send(
            Predicted(
                **self._scored,
                predictor=curve.predictor,
                corrections=[name for name, adjustment in curve.adjustments.items() if adjustment.captures],
                notes=curve.notes,
                crf=crf,
                score=round(score, 3),
                crfs=curve.context.crfs.tolist(),
                mean=np.round(measure.clipped(curve.corrected.mean), 3).tolist(),
                deviation=np.round(Posterior(curve.corrected, measure.grain).deviation(), 3).tolist(),
            )
        )

    def probing(self, number: int, crf: float, probability: float | None, explore: bool) -> None:
        purpose: Literal["verify", "explore"] = "explore" if explore else "verify"
        chance = None if probability is None else round(probability, 4)
        self._send(Probing(number=number, crf=crf, purpose=purpose, probability=chance))

    def progress(self, share: float) -> None:
        self._progress("probe", share)

    def probed(self, record: ProbeRecord) -> None:
        self._send(Probed(probe=record))

    def score_progress(self, share: float) -> None:
        self._progress("score", share)

    def encoding(self, output: Path, crf: float, frames: int) -> None:
        self._send(Encoding(output=str(output), crf=crf, frames=frames))

    def encode_progress(self, share: float) -> None:
        self._progress("encode", share)

    def checking(self, what: str) -> None:
        self._send(Checking(what=what))

    def check_progress(self, share: float) -> None:
        self._progress("check", share)

    def _progress(self, step: Literal["probe", "score", "encode", "check"], share: float) -> None:
        now = time.monotonic()
        if now - self._progress_at >= _PROGRESS_SECONDS:
            self._progress_at = now
            self._send(Progress(step=step, share=round(min(1.0, share), 4)))

    def _prepared(self, source: PreparedSource, goal: Goal | None) -> None:
        facts, settings = source.facts, source.settings
        self._scored = scored_by(source.comparison, source.scale)
        self._measure = self._scored["measure"]
        self._send(
            Prepared(
                **self._scored,
                source=str(source.path),
                width=facts.width,
                height=facts.height,
                fps=facts.fps,
                codec=facts.codec,
                source_pix_fmt=facts.pix_fmt,
                duration_seconds=round(facts.duration_seconds, 3),
                samples=sample_reports(source),
                encoder=settings.spec.name,
                preset=settings.preset,
                pix_fmt=settings.pix_fmt,
                feature_seconds=round(source.measured.feature_seconds, 3),
                target=None if goal is None else goal.target,
                tolerance=None if goal is None else goal.tolerance,
            )
        )

"""The curve that a run's predictor and corrections make of one source, and the captures that its scores are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vmaftune.contract.captures import Capture
from vmaftune.contract.curves import Adjustment, CurveContext, FloatArray, Prediction
from vmaftune.contract.positions import crf_positions


@dataclass(frozen=True, kw_only=True)
class PredictedCurve:
    """The local prior: what the predictor said, and what corrections made of it, each of what the ones before it made.

    Attributes:
        predictor: name, and version after an ``@``.
        context: what was asked.
        bare: the predictor's own.
        corrected: after all corrections; the same object as ``bare`` when they changed nothing.
        given: for each correction, the prediction that it was given.
        adjustments: for each correction, what it made of that.
        left_out: why corrections and trainers that are on took no part and learn nothing; None where they did.
        limits: least and greatest score that there can be.
    """

    predictor: str
    context: CurveContext
    bare: Prediction
    corrected: Prediction
    given: dict[str, Prediction]
    adjustments: dict[str, Adjustment]
    left_out: str | None = None
    limits: tuple[float, float] = (0.0, 100.0)

    @property
    def teaches(self) -> bool:
        """Whether its scores are captures: of a source that a filter changes first, the features are not of what is scored."""
        return not self.context.filtered

    @property
    def predictor_version(self) -> str:
        """Version of the predictor alone."""
        return self.predictor.partition("@")[2]

    @property
    def correction_notes(self) -> list[str]:
        """What corrections say a person should know, a line each."""
        noted = ((name, adjustment.note) for name, adjustment in self.adjustments.items())
        return [f"{name}: {' '.join(note.split())}" for name, note in noted if note]

    @property
    def notes(self) -> list[str]:
        """The predictor's notes, then those of the corrections, or why these took no part."""
        own = self.bare.note.split("; ") if self.bare.note else []
        return [*own, *self.correction_notes, *([self.left_out] if self.left_out else [])]

    def capture(self, index: int, observed: float, unix_seconds: float) -> Capture:
        """The score at one place of the grid as trainers learn from it."""
        return self._capture(index, observed, unix_seconds, self.bare, self.corrected.mean)

    def capture_for(self, correction: str, index: int, observed: float, unix_seconds: float) -> Capture:
        """The same as one correction learns from it."""
        given = self.given[correction]
        corrected = given.mean + self.adjustments[correction].shift
        return self._capture(index, observed, unix_seconds, given, corrected)

    def _capture(
        self, index: int, observed: float, unix_seconds: float, given: Prediction, corrected: FloatArray
    ) -> Capture:
        return Capture(
            features=self.context.features,
            encoder=self.context.encoder.name,
            preset=self.context.preset,
            crf=float(self.context.crfs[index]),
            crf_position=float(crf_positions(self.context.encoder, self.context.crfs[[index]])[0]),
            predicted=float(np.clip(given.mean[index], *self.limits)),
            deviation=math.sqrt(max(0.0, float(given.covariance[index, index]))),
            corrected=float(np.clip(corrected[index], *self.limits)),
            observed=observed,
            unix_seconds=unix_seconds,
            scale=self.context.scale,
        )

"""One score that was paid for, as it is learned from."""

from __future__ import annotations

import msgspec

from vmaftune.contract.features import Features
from vmaftune.quality.scale import USUAL, Scale


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """One score that was paid for, as corrections and trainers learn from it. No name, path or hash of a source in it.

    Scores of one source come with the same features: that is how a learner knows that they are of one source.

    Attributes:
        features: of the source.
        encoder, preset, crf: the encode.
        crf_position: place of the CRF in the encoder's search range, 0 (best) to 1 (coarsest), see crf_positions.
        predicted: score as it was given to this learner: to a correction by the predictor and the corrections before it, to a
            trainer by the predictor alone.
        deviation: standard deviation of ``predicted``.
        corrected: score after this correction; for a trainer, after all corrections.
        observed: score that was measured.
        unix_seconds: when.
        scale: of what scale ``predicted``, ``corrected`` and ``observed`` are.
    """

    features: Features
    encoder: str
    preset: str | None
    crf: float
    crf_position: float
    predicted: float
    deviation: float
    corrected: float
    observed: float
    unix_seconds: float
    scale: Scale = USUAL

    @property
    def residual(self) -> float:
        """observed - predicted."""
        return self.observed - self.predicted

"""Captures as a correction keeps them: what one says of its source, and what it adds to the captures before it.

Scores of one source miss the prediction together: its whole curve lies higher or lower. A second score of a source therefore
says little of OTHER sources, and must not count as if it were of one more. Here a capture counts with what it adds, its
innovation: the residual less what the source's earlier captures let expect of it, in units of its own standard deviation.
Innovations are independent, so ridge may add them up, and together they are generalised least squares over the captures
(Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 2.38; Bierman, "Factorization Methods", 1977).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec
import numpy as np

from vmaftune.features.schema import NAMES, Features
from vmaftune.types import Capture, FloatArray, LearnedCapture

TERMS = 3
"""Terms in CRF: level, slope, curvature."""

# Of the residual of one source: how far it scatters about a smooth curve, and over what share of the search range that curve
# stays alike. Chosen on streams of held-out sources (benchmarks/learning.py): surer ones made ordinary content worse.
_SCORE_NOISE_VMAF = 1.0
_LENGTH = 0.2
_LEAST_DEVIATION_VMAF = 1.0
_ABSURD = 4.0
_ORDINARY_SHIFT_VMAF = 5.0


_Bounded = Annotated[float, msgspec.Meta(ge=-1e4, le=1e4)]  # what a sum of squares can hold


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One capture; nothing in it names a source or a host.

    Attributes:
        features: of the source on their fixed scale, float32, little-endian; source_features reads them.
        preset: of the encode.
        position: place of the CRF in the encoder's search range, 0 to 1.
        residual: observed - predicted, in VMAF.
        deviation: standard deviation of the prediction, in VMAF.
        left: observed - corrected, in VMAF: the residual that the correction of its day left.
        terms: level, slope and curvature that the innovation is of; all 0 for an absurd capture, which counts for nothing.
        innovation: without unit.
        first: whether it was the first one known of its source; never an absurd one.
        timestamp: Unix time in seconds.
    """

    features: bytes
    preset: str | None
    position: float
    residual: float
    deviation: Annotated[float, msgspec.Meta(gt=0.0)]
    left: float
    terms: tuple[_Bounded, _Bounded, _Bounded]
    innovation: _Bounded
    first: bool
    timestamp: float

    @property
    def absurd(self) -> bool:
        """Too far from the prediction to be knowledge."""
        return self.terms == (0.0, 0.0, 0.0)

    def for_people(self) -> LearnedCapture:
        """What a person can read of it."""
        return LearnedCapture(
            preset=self.preset,
            crf_position=self.position,
            deviation=self.deviation,
            residual=self.residual,
            left=self.left,
            absurd=self.absurd,
            unix_seconds=self.timestamp,
        )


def row_of(capture: Capture, known: Iterable[HistoryRow]) -> HistoryRow:
    """A capture with what it adds to those that are known.

    Args:
        known: any captures of the encoder; those of the same source and preset count.

    Raises:
        ValueError: a score or its prediction is no number.
    """
    if not math.isfinite(capture.residual + capture.deviation + capture.corrected + capture.crf_position):
        raise ValueError("nothing is learned from a score or a prediction that is no number")
    features = packed_features(capture.features)
    residual, deviation = float(capture.residual), max(float(capture.deviation), _LEAST_DEVIATION_VMAF)
    peers = [r for r in known if r.features == features and r.preset == capture.preset and not r.absurd]
    terms, innovation = (0.0, 0.0, 0.0), 0.0
    absurd = abs(residual) > _ABSURD * np.hypot(deviation, _ORDINARY_SHIFT_VMAF)
    if not absurd:
        terms, innovation = _innovation(capture.crf_position, residual, deviation, peers)
    return HistoryRow(
        features=features,
        preset=capture.preset,
        position=round(float(capture.crf_position), 6),
        residual=round(residual, 4),
        deviation=round(deviation, 4),
        left=round(float(capture.observed - capture.corrected), 4),
        terms=terms,
        innovation=innovation,
        first=not (peers or absurd),
        timestamp=round(float(capture.unix_seconds), 3),
    )


def packed_features(features: Features) -> bytes:
    """Features as rows hold them."""
    return features.scaled().astype("<f4").tobytes()


def source_features(rows: list[HistoryRow]) -> FloatArray:
    """Their features on the fixed scale, shape (len(rows), len(NAMES))."""
    joined = b"".join(row.features for row in rows)
    return np.frombuffer(joined, "<f4").reshape(len(rows), len(NAMES)).astype(float)


def crf_terms(positions: FloatArray) -> FloatArray:
    """Level, slope and curvature at places of the search range: 1, t and t^2 with t from -1 to 1; shape (n, TERMS)."""
    t = 2.0 * positions - 1.0
    return np.column_stack([np.ones_like(t), t, t**2])


def _innovation(
    position: float, residual: float, deviation: float, peers: list[HistoryRow]
) -> tuple[tuple[float, float, float], float]:
    at = np.array([*(row.position for row in peers), position])
    spread = np.array([*(row.deviation for row in peers), deviation])
    residuals = np.array([*(row.residual for row in peers), residual])
    covariance = np.outer(spread, spread) * np.exp(-0.5 * ((at[:, None] - at[None, :]) / _LENGTH) ** 2)
    covariance[np.diag_indices_from(covariance)] += _SCORE_NOISE_VMAF**2
    expected = np.linalg.solve(covariance[:-1, :-1], covariance[:-1, -1])
    own = float(np.sqrt(covariance[-1, -1] - covariance[-1, :-1] @ expected))
    terms = crf_terms(at)
    added = (terms[-1] - expected @ terms[:-1]) / own
    first, second, third = (round(float(term), 6) for term in added)
    return (first, second, third), round(float((residual - expected @ residuals[:-1]) / own), 6)

"""Captures as a correction keeps them: which are the same, which are of one source, and the last ones of any number.

A capture is known by what it says: source, preset, CRF and score. One that comes again, from a bundle, from a file of captures
or from a search that was repeated, is the same capture and says nothing new. What is kept of two hosts together is the union of
both, and of more than are kept the last ones: whatever order they come in, the same captures are left.

Differences between scores are kept in grains, as large as one VMAF each (PluginContext.grain), so that what is known of the
sizes that residuals have holds for every metric.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
import numpy as np

from vmaftune.contract import Capture, FloatArray, LearnedCapture
from vmaftune.contract.features import NAMES, Features

LAST_UNIX_SECONDS = 4102444800.0
"""The year 2100; no capture is of a later time."""

_LEAST_DEVIATION = 1.0
_ABSURD = 4.0
_ORDINARY_SHIFT = 5.0
# Features that are measured on the source alone. Pilots are encodes, which hang on the number of processors too.
_OF_SOURCE = sum(not name.startswith("pilot_") for name in NAMES)
_ALIKE = 1000.0  # steps in a spread: what another build of ffmpeg measures of a source differs by less

Identity = tuple[bytes, str, float, float]
"""Source, preset, place of the CRF, and score."""


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One capture; nothing in it names a source or a host.

    Attributes:
        features: of the source on their fixed scale, float32, little-endian; source_features reads them.
        preset: of the encode.
        position: place of the CRF in the encoder's search range, 0 to 1.
        observed: score, in its metric's own unit; None for a capture that an earlier version kept.
        residual: observed - predicted, in grains.
        deviation: standard deviation of the prediction, in grains.
        left: observed - corrected, in grains: the residual that the correction of its day left.
        timestamp: Unix time in seconds; the last field in every version.
    """

    features: bytes
    preset: str | None
    position: Annotated[float, msgspec.Meta(ge=-100.0, le=100.0)]
    observed: float | None
    residual: Annotated[float, msgspec.Meta(ge=-1e4, le=1e4)]
    deviation: Annotated[float, msgspec.Meta(gt=0.0, le=1e4)]
    left: float
    timestamp: Annotated[float, msgspec.Meta(ge=0.0, le=LAST_UNIX_SECONDS)]

    @property
    def absurd(self) -> bool:
        """Too far from the prediction to be knowledge: such a capture counts for nothing."""
        return abs(self.residual) > _ABSURD * math.hypot(self.deviation, _ORDINARY_SHIFT)

    def in_grains(self, times: float) -> HistoryRow:
        """The same with its differences in grains that are so many times smaller."""
        if times == 1.0:
            return self
        residual, deviation, left = (round(value * times, 4) for value in (self.residual, self.deviation, self.left))
        return msgspec.structs.replace(self, residual=residual, deviation=deviation, left=left)

    def for_people(self, grain: float) -> LearnedCapture:
        """What a person can read of it, in the metric's own unit."""
        return LearnedCapture(
            preset=self.preset,
            crf_position=self.position,
            deviation=self.deviation * grain,
            residual=self.residual * grain,
            left=self.left * grain,
            absurd=self.absurd,
            unix_seconds=self.timestamp,
        )


def row_of(capture: Capture, grain: float = 1.0) -> HistoryRow:
    """A capture as it is kept.

    Args:
        grain: how large a difference in score is as large as one VMAF.

    Raises:
        ValueError: a score, its prediction or its time is no number.
    """
    numbers = (capture.residual, capture.deviation, capture.corrected, capture.crf_position, capture.unix_seconds)
    if not math.isfinite(sum(numbers)):
        raise ValueError("nothing is learned from a score or a prediction that is no number")
    return HistoryRow(
        features=packed_features(capture.features),
        preset=capture.preset,
        position=round(float(capture.crf_position), 6),
        observed=round(float(capture.observed), 4),
        residual=round(float(capture.residual) / grain, 4),
        deviation=round(max(float(capture.deviation) / grain, _LEAST_DEVIATION), 4),
        left=round(float(capture.observed - capture.corrected) / grain, 4),
        timestamp=round(min(max(float(capture.unix_seconds), 0.0), LAST_UNIX_SECONDS), 3),
    )


def united(rows: Iterable[HistoryRow], most: int) -> list[HistoryRow]:
    """Each capture once, the oldest first; of more than ``most`` the last ones.

    A union that loses its oldest: the result is the same for the same captures, in whatever order and however often they came.
    """
    rows = list(rows)
    known: dict[Identity, HistoryRow] = {}
    for identity, row in zip(identities(rows), rows, strict=True):
        held = known.get(identity)
        if held is None or _order(row) > _order(held):
            known[identity] = row
    return sorted(known.values(), key=_order)[-most:]


def identities(rows: Sequence[HistoryRow]) -> list[Identity]:
    """What each capture is known by."""
    return [
        (source, row.preset or "", row.position, row.residual if row.observed is None else row.observed)
        for source, row in zip(sources_of(rows), rows, strict=True)
    ]


def sources_of(rows: Sequence[HistoryRow]) -> list[bytes]:
    """What the source of each capture is known by: its features as far as any host measures them alike."""
    known = np.round(source_features(rows)[:, :_OF_SOURCE] * _ALIKE).astype("<i4")
    return [row.tobytes() for row in known]


def in_own_order(rows: Sequence[HistoryRow]) -> list[int]:
    """Places of the rows, sorted by what they say: an order that does not hang on when they were made."""
    return sorted(range(len(rows)), key=lambda place: _order(rows[place])[1:])


def packed_features(features: Features) -> bytes:
    """Features as rows hold them."""
    return features.scaled().astype("<f4").tobytes()


def source_features(rows: Sequence[HistoryRow]) -> FloatArray:
    """Their features on the fixed scale, shape (len(rows), len(NAMES))."""
    joined = b"".join(row.features for row in rows)
    return np.frombuffer(joined, "<f4").reshape(len(rows), len(NAMES)).astype(float)


def _order(row: HistoryRow) -> tuple[float, bytes, str, float, float, float, float]:
    """By time; the rest makes it total."""
    return (row.timestamp, row.features, row.preset or "", row.position, row.residual, row.deviation, row.left)

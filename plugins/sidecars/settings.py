"""Settings that corrections have in common, and which of them are in force where.

A correction's ``Settings`` hold a value for all encoders and a table ``encoders``, whose tables hold ``presets``; what stands
nearest to the encode wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

HistoryRows = Annotated[int, msgspec.Meta(ge=16, le=5000)]
Correction = Annotated[float, msgspec.Meta(ge=0.0, le=40.0)]
Sources = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Window = Annotated[int, msgspec.Meta(ge=5, le=2000)]
Threshold = Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force for one encoder and preset.

    Attributes:
        enabled: whether it is corrected and learned from.
        history_rows: captures kept, 16 to 5000; older ones are forgotten.
        max_correction: largest shift in VMAF, or in differences as large as one VMAF of another metric, 0 to 40.
        minimum_sources: sources that captures must be of before anything is corrected.
        drift_window: captures that drift is judged by.
        drift_threshold: times what the model's card lets expect, from which on it is drift.
    """

    enabled: bool
    history_rows: int
    max_correction: float
    minimum_sources: int
    drift_window: int
    drift_threshold: float


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one preset of an encoder; what is left out is as for the encoder. Fields as in InForce."""

    enabled: bool | None = None
    history_rows: HistoryRows | None = None
    max_correction: Correction | None = None
    minimum_sources: Sources | None = None
    drift_window: Window | None = None
    drift_threshold: Threshold | None = None


class EncoderOptions(Options, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one encoder, and for its presets."""

    presets: Mapping[str, Options] = {}


Struct = TypeVar("Struct", bound=InForce)


def in_force(settings: Any, encoder: str, preset: str | None, kind: type[Struct]) -> Struct:
    """What stands for the preset, else for the encoder, else for all.

    Args:
        settings: has the fields of ``kind`` but ``enabled``, and ``encoders``.
    """
    names = kind.__struct_fields__
    values = {"enabled": True, **{name: getattr(settings, name) for name in names if name != "enabled"}}
    if (for_encoder := settings.encoders.get(encoder)) is not None:
        for options in (for_encoder, for_encoder.presets.get(preset or "")):
            values.update({n: v for n in names if (v := getattr(options, n, None)) is not None})
    return kind(**values)

"""Settings of ``ridge-sidecar`` (``[plugins.ridge-sidecar]``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from vmaftune_plugins.sidecars import settings as shared

Lambda = Annotated[float, msgspec.Meta(gt=0.0, le=1e6)]
HalfLife = Annotated[float, msgspec.Meta(ge=0.0, le=1e9)]


class InForce(shared.InForce, frozen=True, kw_only=True):
    """What is in force for one encoder and preset; fields as in settings.InForce, and:

    Attributes:
        ridge_lambda: factor of the pull to no correction (``lambda`` in the file), above 0.
        half_life: captures after which one counts half; 0 forgets nothing.
    """

    ridge_lambda: float
    half_life: float


class Options(shared.Options, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one preset of an encoder; what is left out is as for the encoder. Fields as in InForce."""

    ridge_lambda: Lambda | None = msgspec.field(default=None, name="lambda")
    half_life: HalfLife | None = None


class EncoderOptions(Options, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one encoder (``[plugins.ridge-sidecar.encoders.libx264]``), and for its presets."""

    presets: Mapping[str, Options] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for all encoders (``[plugins.ridge-sidecar]``), and for each; fields as in InForce."""

    ridge_lambda: Lambda = msgspec.field(default=1.0, name="lambda")
    history_rows: shared.HistoryRows = 1000
    max_correction: shared.Correction = 15.0
    half_life: HalfLife = 0.0
    minimum_sources: shared.Sources = 3
    drift_window: shared.Window = 50
    drift_threshold: shared.Threshold = 1.8
    encoders: Mapping[str, EncoderOptions] = {}

    def of(self, encoder: str, preset: str | None) -> InForce:
        """What is in force for one encoder and preset: what stands for the preset, else for the encoder, else for all."""
        return shared.in_force(self, encoder, preset, InForce)

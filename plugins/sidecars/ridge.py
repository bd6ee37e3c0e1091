"""``ridge-sidecar``: an online ridge regression on what the predictor gets wrong on this host (ADR-0394)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from vmaftune import hookimpl
from vmaftune.types import CorrectionSpec, PluginContext

VERSION = "1.0.0"


Lambda = Annotated[float, msgspec.Meta(gt=0.0, le=1e6)]
HistoryRows = Annotated[int, msgspec.Meta(ge=16, le=2000)]
Correction = Annotated[float, msgspec.Meta(ge=0.0, le=40.0)]
HalfLife = Annotated[float, msgspec.Meta(ge=0.0, le=1e9)]
Sources = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Window = Annotated[int, msgspec.Meta(ge=5, le=2000)]
Threshold = Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force for one encoder and preset.

    Attributes:
        enabled: whether it is corrected and learned from.
        ridge_lambda: factor of the pull to no correction (``lambda`` in the file), above 0.
        history_rows: captures kept, 16 to 2000: robustness and drift look at these.
        max_correction: largest shift in VMAF, 0 to 40.
        half_life: captures after which one counts half; 0 forgets nothing.
        minimum_sources: sources that captures must be of before anything is corrected.
        drift_window: captures that drift is judged by.
        drift_threshold: times what the model's card lets expect, from which on it is drift.
    """

    enabled: bool
    ridge_lambda: float
    history_rows: int
    max_correction: float
    half_life: float
    minimum_sources: int
    drift_window: int
    drift_threshold: float


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one preset of an encoder; what is left out is as for the encoder. Fields as in InForce."""

    enabled: bool | None = None
    ridge_lambda: Lambda | None = msgspec.field(default=None, name="lambda")
    history_rows: HistoryRows | None = None
    max_correction: Correction | None = None
    half_life: HalfLife | None = None
    minimum_sources: Sources | None = None
    drift_window: Window | None = None
    drift_threshold: Threshold | None = None


class EncoderOptions(Options, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one encoder (``[plugins.ridge-sidecar.encoders.libx264]``), and for its presets."""

    presets: Mapping[str, Options] = {}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for all encoders (``[plugins.ridge-sidecar]``), and for each; fields as in InForce."""

    ridge_lambda: Lambda = msgspec.field(default=1.0, name="lambda")
    history_rows: HistoryRows = 500
    max_correction: Correction = 15.0
    half_life: HalfLife = 0.0
    minimum_sources: Sources = 3
    drift_window: Window = 50
    drift_threshold: Threshold = 1.6
    encoders: Mapping[str, EncoderOptions] = {}

    def of(self, encoder: str, preset: str | None) -> InForce:
        """What is in force for one encoder and preset: what stands for the preset, else for the encoder, else for all."""
        for_encoder = self.encoders.get(encoder, EncoderOptions())
        for_preset = for_encoder.presets.get(preset or "", Options())
        values = {
            "enabled": True,
            **{name: getattr(self, name) for name in InForce.__struct_fields__ if name != "enabled"},
        }
        for options in (for_encoder, for_preset):
            values.update({n: v for n in InForce.__struct_fields__ if (v := getattr(options, n)) is not None})
        return InForce(**values)


def _make(context: PluginContext) -> object:
    from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection

    return RidgeCorrection(context.settings, context.cache_folder / "sidecar", context.predictor_version, context.warn)


@hookimpl
def vmaftune_corrections() -> Iterator[CorrectionSpec]:
    yield CorrectionSpec(
        name="ridge-sidecar",
        version=VERSION,
        factory=_make,  # type: ignore[arg-type]
        settings=Settings,
        summary="learns on this host what the predictor gets wrong (online ridge, ADR-0394)",
    )

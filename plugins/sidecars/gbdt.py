"""``gbdt-sidecar``: gradient-boosted trees on what the predictor gets wrong on this host (the follow-up of ADR-0394).

Ridge knows levels and slopes in each feature. Trees find steps, and features that matter only together; they ask for more
sources before they say anything.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping

import msgspec
from vmaftune_plugins.sidecars import settings as shared
from vmaftune_plugins.sidecars.settings import EncoderOptions, InForce

from vmaftune import hookimpl
from vmaftune.contract import CorrectionSpec, PluginContext
from vmaftune.errors import UserError
from vmaftune.extras import install_command

VERSION = "1.0.0"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for all encoders (``[plugins.gbdt-sidecar]``), and for each; fields as in InForce."""

    history_rows: shared.HistoryRows = 2000
    max_correction: shared.Correction = 15.0
    minimum_sources: shared.Sources = 3
    drift_window: shared.Window = 50
    drift_threshold: shared.Threshold = 1.8
    encoders: Mapping[str, EncoderOptions] = {}

    def of(self, encoder: str, preset: str | None) -> InForce:
        """What is in force for one encoder and preset: what stands for the preset, else for the encoder, else for all."""
        return shared.in_force(self, encoder, preset, InForce)


def _make(context: PluginContext) -> object:
    from vmaftune_plugins.sidecars.gbdt_correction import GbdtCorrection

    folder = context.cache_folder / "gbdt-sidecar"
    return GbdtCorrection(context.settings, folder, context.predictor_version, context.warn, context.grain)


@hookimpl
def vmaftune_corrections() -> Iterator[CorrectionSpec]:
    # Said here, and not by the factory: a run that names it then ends before anything was encoded.
    if importlib.util.find_spec("lightgbm") is None:
        raise UserError(f"lightgbm is missing: {install_command('gbdt')}")
    yield CorrectionSpec(
        name="gbdt-sidecar",
        version=VERSION,
        factory=_make,  # type: ignore[arg-type]
        settings=Settings,
        summary="learns on this host what the predictor gets wrong (gradient-boosted trees, LightGBM)",
        alternative=True,
        budget_ms=1500.0,  # once in a run, when captures came since the trees were grown; else a few
    )

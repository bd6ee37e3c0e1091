"""``ridge-sidecar``: an online ridge regression on what the predictor gets wrong on this host (ADR-0394)."""

from __future__ import annotations

from collections.abc import Iterator

from vmaftune_plugins.sidecars.ridge_settings import Settings

from vmaftune import hookimpl
from vmaftune.contract import CorrectionSpec, PluginContext

VERSION = "1.0.0"


def _make(context: PluginContext) -> object:
    from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection

    folder = context.cache_folder / "sidecar"
    return RidgeCorrection(context.settings, folder, context.predictor_version, context.warn, context.grain)


@hookimpl
def vmaftune_corrections() -> Iterator[CorrectionSpec]:
    yield CorrectionSpec(
        name="ridge-sidecar",
        version=VERSION,
        factory=_make,  # type: ignore[arg-type]
        settings=Settings,
        summary="learns on this host what the predictor gets wrong (online ridge, ADR-0394)",
    )

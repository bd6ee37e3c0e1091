"""``ridge-sidecar``: an online ridge regression on what the predictor gets wrong on this host (ADR-0394)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from vmaftune import hookimpl
from vmaftune.types import CorrectionSpec, PluginContext

VERSION = "1.0.0"


class EncoderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for one encoder (``[plugins.ridge-sidecar.encoders.libx264]``); what is left out is as for all.

    Attributes:
        enabled: whether this encoder is corrected and learned from.
        ridge_lambda: strength of the pull to no correction (``lambda`` in the file), above 0.
        history_rows: captures kept for inspection, 0 to 5000.
        max_correction: largest shift in VMAF, 0 to 40.
    """

    enabled: bool | None = None
    ridge_lambda: Annotated[float, msgspec.Meta(gt=0.0, le=1e6)] | None = msgspec.field(default=None, name="lambda")
    history_rows: Annotated[int, msgspec.Meta(ge=0, le=5000)] | None = None
    max_correction: Annotated[float, msgspec.Meta(ge=0.0, le=40.0)] | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Settings for all encoders (``[plugins.ridge-sidecar]``), and for each; fields as in EncoderOptions."""

    ridge_lambda: Annotated[float, msgspec.Meta(gt=0.0, le=1e6)] = msgspec.field(default=1.0, name="lambda")
    history_rows: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 500
    max_correction: Annotated[float, msgspec.Meta(ge=0.0, le=40.0)] = 15.0
    encoders: Mapping[str, EncoderOptions] = {}

    def of(self, encoder: str) -> Settings:
        """What is in force for one encoder."""
        options = self.encoders.get(encoder, EncoderOptions())
        names = ("ridge_lambda", "history_rows", "max_correction")
        given = {name: value for name in names if (value := getattr(options, name)) is not None}
        return msgspec.structs.replace(self, **given)

    def enabled(self, encoder: str) -> bool:
        """Whether the encoder is corrected and learned from."""
        return self.encoders.get(encoder, EncoderOptions()).enabled is not False


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

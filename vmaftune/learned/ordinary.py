"""An ordinary source: what is asked about when there is no source at hand."""

from __future__ import annotations

from vmaftune.contract.curves import CurveContext
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import FEATURES, SCHEMA_VERSION, Features
from vmaftune.crf_search.grid import crf_grid
from vmaftune.quality.scale import USUAL, Scale


def ordinary_context(encoder: EncoderSpec, preset: str | None, scale: Scale = USUAL) -> CurveContext:
    """The curve of a source whose every feature is ordinary; without a preset, at the encoder's own."""
    values = tuple(feature.centre for feature in FEATURES.values())
    return CurveContext(
        features=Features(schema=SCHEMA_VERSION, values=values),
        encoder=encoder,
        preset=preset if preset is not None else encoder.default_preset,
        crfs=crf_grid(encoder, None, None, None),
        scale=scale,
    )

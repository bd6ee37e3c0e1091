"""``constant-bias``: a correction. Where the predictor is usually too low or too high on this host, shift its curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
import numpy as np

from vmaftune import hookimpl
from vmaftune.contract import (
    Adjustment,
    Capture,
    CorrectionSpec,
    CurveContext,
    Features,
    PluginContext,
    Prediction,
)
from vmaftune_plugin_template.state_file import SourceResiduals, StateFile

vmaftune_api = 1

_UNBIASED_SOURCES = 1.0
_LARGEST_SHIFT_VMAF = 20.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings in ``[plugins.constant-bias]``.

    Attributes:
        strength: share of the learned bias that is applied, 0 to 1.
    """

    strength: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 1.0


class ConstantBias:
    """Shift = strength x (r_1 + ... + r_n) / (n + 1), with r_i the mean residual of source i.

    The 1 stands for a source without bias: it shrinks what few sources say. Captures of one source are one r_i, however many
    there are. What is learned is kept for each encoder and each version of the predictor.

    Args:
        context: of the run, with Settings.
    """

    def __init__(self, context: PluginContext) -> None:
        self._strength: float = context.settings.strength
        self._folder = context.cache_folder / "constant-bias" / context.predictor_version
        self._warn = context.warn

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        """The same shift at every CRF; exactly zero while nothing was learned."""
        sources = self._file(context.encoder.name).read()
        residuals = [source.residual_sum / source.captures for source in sources]
        bias = self._strength * sum(residuals) / (len(residuals) + _UNBIASED_SOURCES)
        shift = np.full(len(context.crfs), np.clip(bias, -_LARGEST_SHIFT_VMAF, _LARGEST_SHIFT_VMAF))
        return Adjustment(shift=shift, captures=sum(source.captures for source in sources))

    def learn(self, capture: Capture) -> None:
        """Add one capture to what its encoder has, durably."""
        features = _fingerprint(capture.features)

        def add(sources: list[SourceResiduals]) -> list[SourceResiduals]:
            before = next((s for s in sources if s.features == features), None)
            after = SourceResiduals(
                features=features,
                captures=1 + (before.captures if before else 0),
                residual_sum=capture.residual + (before.residual_sum if before else 0.0),
            )
            return [*(s for s in sources if s is not before), after]

        self._file(capture.encoder).update(add)

    def _file(self, encoder: str) -> StateFile:
        return StateFile(self._folder / f"{encoder}.json", self._warn)


def _fingerprint(features: Features) -> tuple[float, ...]:
    """Equal for captures of one source; on the fixed scale, where a feature that was not measured is a number too."""
    return tuple(np.round(features.scaled(), 6).tolist())


@hookimpl
def vmaftune_corrections() -> Iterator[CorrectionSpec]:
    yield CorrectionSpec(
        name="constant-bias",
        version="1.0.0",
        factory=ConstantBias,
        settings=Settings,
        summary="shifts curves by the mean residual of this host, shrunk towards zero",
    )

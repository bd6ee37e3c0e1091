"""``mlp``: curves from a network that was trained on measured ones."""

from __future__ import annotations

from collections.abc import Iterator

from vmaftune_plugins.predictors.mlp_settings import Settings

from vmaftune import hookimpl
from vmaftune.contract import PluginContext, Predictor, PredictorSpec

VERSION = "1.0.0"


def _make(context: PluginContext) -> Predictor:
    from vmaftune_plugins.predictors.mlp_curves import MlpPredictor

    return MlpPredictor(context.settings.model)


@hookimpl
def vmaftune_predictors() -> Iterator[PredictorSpec]:
    yield PredictorSpec(
        name="mlp",
        version=VERSION,
        factory=_make,
        settings=Settings,
        default_rank=10,
        summary="a network trained on measured curves",
        thread_safe=True,
    )

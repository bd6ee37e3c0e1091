"""``population``: the mean and covariance of curves measured on other people's video, given the features."""

from __future__ import annotations

from collections.abc import Iterator

from vmaftune import hookimpl
from vmaftune.contract import PluginContext, Predictor, PredictorSpec

VERSION = "1.0.0"


def _make(context: PluginContext) -> Predictor:
    from vmaftune_plugins.predictors.population_curves import PopulationPredictor

    return PopulationPredictor()


@hookimpl
def vmaftune_predictors() -> Iterator[PredictorSpec]:
    yield PredictorSpec(
        name="population",
        version=VERSION,
        factory=_make,
        default_rank=90,
        summary="mean and covariance of measured curves given the features; a table, no network",
        thread_safe=True,
    )

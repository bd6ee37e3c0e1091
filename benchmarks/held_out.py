"""The predictor of a host that knew nothing of the source at hand: one network for each fold of sources.

A plugin like any other, which the benchmark alone registers. All folds have one version, so that what a correction learns of
one source counts for the next, as it does where one network predicts them all.
"""

from __future__ import annotations

import functools
import importlib.metadata

import msgspec
from vmaftune_plugins.predictors.mlp_curves import MlpPredictor

from vmaftune import PROJECT, hookimpl
from vmaftune.contract import CurveContext, Prediction, PredictorSpec

NAME = "held-out"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``model``: id of the network that knew nothing of the source."""

    model: str


class HeldOut:
    version = NAME

    def __init__(self, model: str) -> None:
        self._network = _opened(model)

    def predict(self, context: CurveContext) -> Prediction:
        return self._network.predict(context)


@functools.cache
def _opened(model: str) -> MlpPredictor:
    return MlpPredictor(model)


@hookimpl
def vmaftune_predictors():
    yield PredictorSpec(name=NAME, version="1", factory=lambda c: HeldOut(c.settings.model), settings=Settings)


def entry_points() -> list[importlib.metadata.EntryPoint]:
    """All that is installed, and this."""
    own = importlib.metadata.EntryPoint(name=NAME, value=__name__, group=PROJECT)
    return [*importlib.metadata.entry_points(group=PROJECT), own]

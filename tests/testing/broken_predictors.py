"""Predictors that break their contract: for each check at least one that fails it, and no other."""

from __future__ import annotations

import time
import uuid
from typing import Any

import numpy as np

from tests.testing import faults
from vmaftune.contract import (
    CurveContext,
    FloatArray,
    PluginContext,
    Prediction,
    PredictorSpec,
    Unsupported,
)
from vmaftune.contract.positions import crf_positions
from vmaftune.testing.cases import UNKNOWN_ENCODER


class Good:
    """A straight line."""

    version = "good-1"

    def __init__(self, context: PluginContext) -> None:
        self.folder = context.cache_folder

    def predict(self, context: CurveContext) -> Prediction:
        if context.encoder.name not in faults.ENCODERS:
            raise Unsupported("not learned from")
        self.check(context)
        at = crf_positions(context.encoder, context.crfs)
        features = float(np.clip(np.nan_to_num(context.features["pilot_vmaf_fine"]), 0, 100))
        mean = 60 + 0.3 * features - 40 * at
        covariance = 9 * np.exp(-0.5 * (at[:, None] - at[None, :]) ** 2)
        return self.changed(context, mean, covariance)

    def check(self, context: CurveContext) -> None:
        if np.isnan(context.features.values).any():
            raise Unsupported("a feature was not measured")

    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean, covariance=covariance)


class KnowsNothing(Good):
    def predict(self, context: CurveContext) -> Prediction:
        raise Unsupported("nothing at all")


class VersionWithASlash(Good):
    version = "good/1"


class AnotherVersionEachTime(Good):
    def __init__(self, context: PluginContext) -> None:
        super().__init__(context)
        self.version = uuid.uuid4().hex


class ScalarForOneCrf(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean.squeeze(), covariance=covariance)


class Float32ForOneCrf(Good):
    def changed(self, context: CurveContext, mean: Any, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean.astype("f4") if len(mean) == 1 else mean, covariance=covariance)


class ListForOneCrf(Good):
    def changed(self, context: CurveContext, mean: Any, covariance: FloatArray) -> Prediction:
        return Prediction(mean=list(mean) if len(mean) == 1 else mean, covariance=covariance)  # type: ignore[arg-type]


class NanForOneCrf(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        spread = np.ptp(context.crfs) if len(mean) == 1 else 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return Prediction(mean=mean * spread / spread, covariance=covariance)


class BeyondVmaf(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean + 100.0 * (context.encoder.name == "libsvtav1"), covariance=covariance)


class Asymmetric(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        covariance[0, -1] += 0.01 * (context.encoder.name == "libsvtav1")
        return Prediction(mean=mean, covariance=covariance)


class NegativeVariance(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean, covariance=covariance * (-1.0 if context.encoder.name == "libsvtav1" else 1.0))


class Remembers(Good):
    calls = 0

    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        self.calls += 1
        return Prediction(mean=mean - 1e-6 * self.calls, covariance=covariance)


class ByHash(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean - hash(context.encoder.name) % 1000 / 1000, covariance=covariance)


class ChangesTheGrid(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        context.crfs[0] += 1.0
        return Prediction(mean=mean, covariance=covariance)


class TakesNanForZero(Good):
    def check(self, context: CurveContext) -> None:
        pass


class NanOfNan(TakesNanForZero):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean + 0 * context.features["pilot_vmaf_coarse"], covariance=covariance)


class RaisesOnNan(Good):
    def check(self, context: CurveContext) -> None:
        if np.isnan(context.features.values).any():
            raise ValueError("a feature is NaN")


class HugeOfHuge(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        return Prediction(mean=mean - 1e-6 * abs(context.features["fps"]), covariance=covariance)


class KeyErrorOfUnknownEncoder(Good):
    def predict(self, context: CurveContext) -> Prediction:
        if context.encoder.name == UNKNOWN_ENCODER.name:
            raise KeyError(context.encoder.name)
        return super().predict(context)


class WantsAPreset(Good):
    def changed(self, context: CurveContext, mean: FloatArray, covariance: FloatArray) -> Prediction:
        context.encoder.presets.index(context.preset or "")
        return Prediction(mean=mean, covariance=covariance)


class WantsItsFolder(Good):
    def __init__(self, context: PluginContext) -> None:
        (context.cache_folder / "table").touch()
        super().__init__(context)


class Slow(Good):
    def predict(self, context: CurveContext) -> Prediction:
        time.sleep(0.006)
        return super().predict(context)


class WritesElsewhere(Good):
    def predict(self, context: CurveContext) -> Prediction:
        faults.write_elsewhere()
        return super().predict(context)


class LooksANameUp(Good):
    def predict(self, context: CurveContext) -> Prediction:
        faults.look_a_name_up()
        return super().predict(context)


class SharesItsContext(Good):
    def predict(self, context: CurveContext) -> Prediction:
        self.context = context
        time.sleep(0.001)
        return super().predict(self.context)


class OneProcessAtATime(Good):
    def __init__(self, context: PluginContext) -> None:
        (context.cache_folder / "lock").mkdir(parents=True)
        super().__init__(context)


def spec(factory: type[Good], **changes: Any) -> PredictorSpec:
    """Promises nothing about threads and processes, unless told otherwise: what is not promised need not be tried."""
    return PredictorSpec(**{"name": "under-test", "version": "1", "factory": factory, "process_safe": False, **changes})


GOOD = [spec(Good, thread_safe=True, process_safe=True)]
BROKEN = [
    ("name_can_be_typed", spec(Good, name="two words")),
    ("settings_have_valid_defaults", spec(Good, settings=faults.OutOfItsRange)),
    ("unknown_settings_are_refused", spec(Good, settings=faults.TakesAnything)),
    ("a_curve_is_predicted", spec(KnowsNothing)),
    ("version_can_name_a_folder", spec(VersionWithASlash)),
    ("version_can_name_a_folder", spec(AnotherVersionEachTime)),
    ("arrays_are_shaped_as_the_grid", spec(ScalarForOneCrf)),
    ("arrays_are_shaped_as_the_grid", spec(Float32ForOneCrf)),
    ("arrays_are_shaped_as_the_grid", spec(ListForOneCrf)),
    ("values_are_finite", spec(NanForOneCrf)),
    ("mean_is_vmaf", spec(BeyondVmaf)),
    ("covariance_is_positive_semidefinite", spec(Asymmetric)),
    ("covariance_is_positive_semidefinite", spec(NegativeVariance)),
    ("is_deterministic", spec(Remembers)),
    ("is_deterministic_across_processes", spec(ByHash)),
    ("context_is_left_alone", spec(ChangesTheGrid)),
    ("unmeasured_features", spec(TakesNanForZero)),
    ("unmeasured_features", spec(NanOfNan)),
    ("unmeasured_features", spec(RaisesOnNan)),
    ("huge_features", spec(HugeOfHuge)),
    ("unknown_encoder", spec(KeyErrorOfUnknownEncoder)),
    ("unknown_preset", spec(WantsAPreset)),
    ("cache_folder_need_not_be_there", spec(WantsItsFolder)),
    ("predict_keeps_its_budget", spec(Slow, budget_ms=1.0)),
    ("writes_only_in_its_cache_folder", spec(WritesElsewhere)),
    ("uses_no_network", spec(LooksANameUp)),
    ("threads_do_not_disturb_it", spec(SharesItsContext, thread_safe=True)),
    ("processes_do_not_disturb_it", spec(OneProcessAtATime, process_safe=True)),
]

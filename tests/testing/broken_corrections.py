"""Corrections that break their contract: for each check at least one that fails it, and no other."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.testing import faults
from vmaftune.contract import (
    Adjustment,
    Capture,
    CorrectionSpec,
    CurveContext,
    FloatArray,
    PluginContext,
    Prediction,
)


class Good:
    """The mean residual of all captures; one line each in a file."""

    def __init__(self, context: PluginContext) -> None:
        self.file = context.cache_folder / "good" / f"{context.predictor_version}.txt"

    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        residuals = self.residuals()
        shift = np.full(len(context.crfs), np.mean(residuals) if residuals else 0.0)
        return self.changed(context, prediction, np.clip(shift, -30, 30), residuals)

    def learn(self, capture: Capture) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as file:
            file.write(f"{capture.residual}\n")

    def residuals(self) -> list[float]:
        return [float(line) for line in self.file.read_text().split()] if self.file.exists() else []

    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        return Adjustment(shift=shift, captures=len(residuals))


class Constant(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        return Adjustment(shift=shift + 0.5, captures=len(residuals))


class WidensAtOnce(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        return Adjustment(shift=shift, captures=len(residuals), covariance=2 * prediction.covariance)


class CountsFromOne(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        return Adjustment(shift=shift, captures=len(residuals) + 1)


class ScalarForOneCrf(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        return Adjustment(shift=shift.squeeze(), captures=len(residuals))


class Float32ForOneCrf(Good):
    def changed(self, context: CurveContext, prediction: Prediction, shift: Any, residuals: list[float]) -> Adjustment:
        return Adjustment(shift=shift.astype("f4") if len(shift) == 1 else shift, captures=len(residuals))


class NanForOneCrf(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        wrong = residuals and len(shift) == 1
        return Adjustment(shift=shift * np.nan if wrong else shift, captures=len(residuals))


class BeyondBelief(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        wrong = residuals and context.encoder.name == "libsvtav1"
        return Adjustment(shift=shift + 45 if wrong else shift, captures=len(residuals))


class NegativeVariance(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        wrong = residuals and context.encoder.name == "libsvtav1"
        return Adjustment(
            shift=shift, captures=len(residuals), covariance=-prediction.covariance if wrong else prediction.covariance
        )


class Remembers(Good):
    calls = 0

    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        self.calls += bool(residuals)
        return Adjustment(shift=shift + 1e-6 * self.calls, captures=len(residuals))


class ChangesThePrediction(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        mean = prediction.mean
        mean += shift
        return Adjustment(shift=shift, captures=len(residuals))


class ChangesTheGrid(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        context.crfs[-1] += 1
        return Adjustment(shift=shift, captures=len(residuals))


class InMemory(Good):
    def __init__(self, context: PluginContext) -> None:
        super().__init__(context)
        self.learned: list[float] = []

    def learn(self, capture: Capture) -> None:
        self.learned.append(capture.residual)

    def residuals(self) -> list[float]:
        return self.learned


class AnyPredictor(Good):
    def __init__(self, context: PluginContext) -> None:
        self.file = context.cache_folder / "good" / "any.txt"


class NanOfNan(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        odd = 0 * context.features["pilot_vmaf_fine"] if residuals else 0.0
        return Adjustment(shift=shift + odd, captures=len(residuals))


class HugeOfHuge(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        odd = 1e-6 * context.features["fps"] if residuals else 0.0
        return Adjustment(shift=shift + odd, captures=len(residuals))


class RefusesNan(Good):
    def learn(self, capture: Capture) -> None:
        if np.isnan(capture.features.values).any():
            raise ValueError("a feature is NaN")
        super().learn(capture)


class BelievesTheAbsurd(Good):
    def changed(
        self, context: CurveContext, prediction: Prediction, shift: FloatArray, residuals: list[float]
    ) -> Adjustment:
        return Adjustment(shift=shift + min([0.0, *residuals]), captures=len(residuals))


class WantsItsFolder(Good):
    def learn(self, capture: Capture) -> None:
        self.file.parent.mkdir(exist_ok=True)
        super().learn(capture)


class SlowToCorrect(Good):
    def correct(self, context: CurveContext, prediction: Prediction) -> Adjustment:
        time.sleep(0.02)
        return super().correct(context, prediction)


class SlowToLearn(Good):
    def learn(self, capture: Capture) -> None:
        time.sleep(0.02)
        super().learn(capture)


class WritesElsewhere(Good):
    def learn(self, capture: Capture) -> None:
        faults.write_elsewhere()
        super().learn(capture)


class LooksANameUp(Good):
    def learn(self, capture: Capture) -> None:
        faults.look_a_name_up()
        super().learn(capture)


class TalksToThisHost(Good):
    def learn(self, capture: Capture) -> None:
        faults.talk_to_this_host()
        super().learn(capture)


class ReadsChangesWrites(Good):
    """What others write between its reading and its writing is lost."""

    def learn(self, capture: Capture) -> None:
        learned = self.residuals()
        time.sleep(0.002)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("\n".join(str(residual) for residual in (*learned, capture.residual)))


def spec(factory: type[Good], **changes: Any) -> CorrectionSpec:
    """Promises nothing about threads and processes, unless told otherwise: what is not promised need not be tried."""
    return CorrectionSpec(
        **{"name": "under-test", "version": "1", "factory": factory, "process_safe": False, **changes}
    )


GOOD = [spec(Good, thread_safe=True, process_safe=True)]
BROKEN = [
    ("name_can_be_typed", spec(Good, name="")),
    ("settings_have_valid_defaults", spec(Good, settings=faults.OutOfItsRange)),
    ("unknown_settings_are_refused", spec(Good, settings=faults.TakesAnything)),
    ("nothing_learned_changes_nothing", spec(Constant)),
    ("nothing_learned_changes_nothing", spec(WidensAtOnce)),
    ("nothing_learned_changes_nothing", spec(CountsFromOne)),
    ("arrays_are_shaped_as_the_grid", spec(ScalarForOneCrf)),
    ("arrays_are_shaped_as_the_grid", spec(Float32ForOneCrf)),
    ("values_are_finite", spec(NanForOneCrf)),
    ("shift_can_be_believed", spec(BeyondBelief)),
    ("covariance_is_positive_semidefinite", spec(NegativeVariance)),
    ("is_deterministic", spec(Remembers)),
    ("arguments_are_left_alone", spec(ChangesThePrediction)),
    ("arguments_are_left_alone", spec(ChangesTheGrid)),
    ("what_was_learned_is_kept", spec(InMemory)),
    ("another_predictor_starts_anew", spec(AnyPredictor)),
    ("odd_features", spec(NanOfNan)),
    ("odd_features", spec(HugeOfHuge)),
    ("odd_captures", spec(RefusesNan)),
    ("odd_captures", spec(BelievesTheAbsurd)),
    ("cache_folder_need_not_be_there", spec(WantsItsFolder)),
    ("correct_keeps_its_budget", spec(SlowToCorrect, budget_ms=2.0)),
    ("learn_keeps_its_budget", spec(SlowToLearn, budget_ms=2.0)),
    ("writes_only_in_its_cache_folder", spec(WritesElsewhere)),
    ("uses_no_network", spec(LooksANameUp)),
    ("uses_no_network", spec(TalksToThisHost)),
    ("threads_lose_no_capture", spec(ReadsChangesWrites, thread_safe=True)),
    ("processes_lose_no_capture", spec(ReadsChangesWrites, process_safe=True)),
]

"""The contract of predictors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from vmaftune.contract.curves import CurveContext, Prediction
from vmaftune.contract.features import Features
from vmaftune.contract.plugins import Predictor, PredictorSpec
from vmaftune.errors import Unsupported
from vmaftune.testing import answers, cases, common
from vmaftune.testing.answers import where
from vmaftune.testing.check import ContractError, NotChecked
from vmaftune.testing.process import Report
from vmaftune.testing.subject import PREDICTOR_VERSION, Subject


class PredictorSubject(Subject[PredictorSpec]):
    """A predictor under test."""

    def make(self, folder: Path, predictor_version: str = PREDICTOR_VERSION) -> Predictor:
        """As of Subject. Raises NotChecked where it says that this host lacks what it needs."""
        try:
            predictor: Predictor = super().make(folder)
        except Unsupported as error:
            raise NotChecked(f"it cannot be used on this host: {error}") from error
        return predictor

    @cached_property
    def contexts(self) -> list[CurveContext]:
        """Of all encoders that are installed, those first that it answers."""
        every = cases.contexts(self.encoders)
        with self.folder() as folder:
            predictor = self.make(folder)
            return sorted(every, key=lambda context: predicted(predictor, context) is None)

    @cached_property
    def answered(self) -> list[Prediction | None]:
        """What a new instance answers when it is asked for each context once."""
        with self.folder() as folder:
            return predict_all(self.make(folder), self.contexts)

    @property
    def curves(self) -> Iterator[tuple[CurveContext, Prediction]]:
        """Those that it answers."""
        pairs = zip(self.contexts, self.answered, strict=True)
        return ((context, prediction) for context, prediction in pairs if prediction is not None)

    @cached_property
    def elsewhere(self) -> Report:
        """The same in another process."""
        with self.folder() as folder:
            return self.together(folder, predict_all, [(self.contexts,)])[0]

    def odd(self, context: CurveContext) -> None:
        """A curve that it may refuse; what it answers instead is a prediction as any other."""
        with self.folder() as folder:
            prediction = predicted(self.make(folder), context)
        if prediction is not None:
            answers.whole(prediction, context)

    def odd_features(self, features: Features) -> None:
        """The same of a source."""
        self.odd(replace(self.contexts[0], features=features))

    def same(
        self, first: Sequence[Prediction | None], second: Sequence[Prediction | None], within: float, words: str
    ) -> None:
        """Raises ContractError where two lists of answers to the contexts differ."""
        for context, one, other in zip(self.contexts, first, second, strict=True):
            if one is None and other is None:
                continue
            if one is None or other is None or not answers.same(one, other, within):
                raise ContractError(f"{words} ({where(context)})")


def predicted(predictor: Predictor, context: CurveContext) -> Prediction | None:
    """The prediction; None where there is none to be had."""
    try:
        return predictor.predict(cases.copied(context))
    except Unsupported:
        return None


def predict_all(predictor: Predictor, contexts: Sequence[CurveContext]) -> list[Prediction | None]:
    """Each in its turn."""
    return [predicted(predictor, context) for context in contexts]


def checks(spec: PredictorSpec) -> list[Callable[[PredictorSubject], None]]:
    """Those that hold for what the spec declares."""
    made: list[Callable[[PredictorSubject], None]] = [*common.FOR_ALL, *_ALWAYS]
    made += [check_threads_do_not_disturb_it] if spec.thread_safe else []
    made += [check_processes_do_not_disturb_it] if spec.process_safe else []
    return made


def check_a_curve_is_predicted(of: PredictorSubject) -> None:
    """It predicts a curve of one of the encoders that are installed."""
    if not any(of.curves):
        raise ContractError(f"it refuses every curve of {', '.join(of.encoders) or 'no encoder at all'}")


def check_version_can_name_a_folder(of: PredictorSubject) -> None:
    """Its version can name a folder, and is the same each time it is made: learned state is kept under it."""
    with of.folder() as first, of.folder() as second:
        version, again = of.make(first).version, of.make(second).version
    if not isinstance(version, str) or common.PLAIN_NAME.fullmatch(version) is None:
        raise ContractError(f"its version is {version!r}")
    if version != again:
        raise ContractError(f"its version is {version!r}, and {again!r} when it is made again")


def check_arrays_are_shaped_as_the_grid(of: PredictorSubject) -> None:
    """Mean and covariance are float64, of shapes (n,) and (n, n) for n CRFs, down to a single one."""
    for context, prediction in of.curves:
        answers.shaped(prediction, context)


def check_values_are_finite(of: PredictorSubject) -> None:
    """No value is NaN or infinite."""
    for context, prediction in of.curves:
        answers.finite(prediction, context)


def check_mean_is_vmaf(of: PredictorSubject) -> None:
    """The mean is VMAF, from 0 to 100."""
    for context, prediction in of.curves:
        answers.believable(prediction, context)


def check_covariance_is_positive_semidefinite(of: PredictorSubject) -> None:
    """The covariance is symmetric and positive semi-definite."""
    for context, prediction in of.curves:
        answers.covariance(prediction, context)


def check_is_deterministic(of: PredictorSubject) -> None:
    """A curve asked for again, after others and of another instance, is the same in every bit."""
    with of.folder() as folder:
        predictor = of.make(folder)
        for _ in range(2):
            of.same(of.answered, predict_all(predictor, of.contexts), 0.0, "asked again, it predicts another curve")


def check_is_deterministic_across_processes(of: PredictorSubject) -> None:
    """A process of its own predicts the same."""
    of.same(of.answered, of.elsewhere.result, answers.SAME_VMAF, "another process predicts another curve")


def check_context_is_left_alone(of: PredictorSubject) -> None:
    """What it is given is as it was before."""
    with of.folder() as folder:
        predictor = of.make(folder)
        for context, _ in of.curves:
            given = cases.copied(context)
            predictor.predict(given)
            if not np.array_equal(given.crfs, context.crfs):
                raise ContractError(f"it changes the CRFs that it is asked for ({where(context)})")


def check_unmeasured_features(of: PredictorSubject) -> None:
    """Of a source without pilots (NaN), it raises Unsupported, or predicts what it predicts with them: it does without."""
    context = of.contexts[0]
    without = replace(context, features=cases.unmeasured(context.features))
    with of.folder() as folder:
        measured, unmeasured = predict_all(of.make(folder), [context, without])
    if unmeasured is not None and (measured is None or not answers.same(measured, unmeasured, answers.SAME_VMAF)):
        raise ContractError(f"it predicts another curve where features could not be measured ({where(context)})")


def check_huge_features(of: PredictorSubject) -> None:
    """Of a source that cannot be, it predicts a curve as of any other, or raises Unsupported."""
    for features in cases.huge(of.contexts[0].features):
        of.odd_features(features)


def check_unknown_encoder(of: PredictorSubject) -> None:
    """Of an encoder that it does not know, it predicts a curve as of any other, or raises Unsupported."""
    spec = cases.UNKNOWN_ENCODER
    of.odd(cases.curve(of.contexts[0].features, spec, spec.default_preset))


def check_unknown_preset(of: PredictorSubject) -> None:
    """At a preset that it does not know, or at none, it predicts a curve as of any other, or raises Unsupported."""
    known = of.contexts[0]
    for preset in ("no such preset", None):
        of.odd(cases.curve(known.features, known.encoder, preset))


def check_cache_folder_need_not_be_there(of: PredictorSubject) -> None:
    """It works on a host where the cache folder was never made."""
    with of.folder() as folder:
        predicted(of.make(folder / "not" / "made"), of.contexts[0])


def check_predict_keeps_its_budget(of: PredictorSubject) -> None:
    """A prediction takes the time that its spec declares (budget_ms)."""
    with of.folder() as folder:
        common.in_budget(of, "predict", partial(predicted, of.make(folder), of.contexts[0]))


def check_writes_only_in_its_cache_folder(of: PredictorSubject) -> None:
    """Made and used in another process, it writes nowhere but in its cache folder."""
    common.only_wrote_in_its_folder(of.elsewhere)


def check_uses_no_network(of: PredictorSubject) -> None:
    """Made and used in another process, it opens no connection and looks no name up."""
    common.reached_nobody(of.elsewhere)


def check_threads_do_not_disturb_it(of: PredictorSubject) -> None:
    """It declares thread_safe: one instance predicts the same for several threads at once."""
    with of.folder() as folder:
        several = common.at_once([partial(predict_all, of.make(folder), of.contexts)] * common.THREADS)
    for answered in several:
        of.same(of.answered, answered, answers.SAME_VMAF, "several threads at once get another curve")


def check_processes_do_not_disturb_it(of: PredictorSubject) -> None:
    """It declares process_safe: processes that share a cache folder predict the same at once."""
    with of.folder() as folder:
        first, second = of.together(folder, predict_all, [(of.contexts,)] * 2)
    of.same(first.result, second.result, answers.SAME_VMAF, "two processes at once predict two curves")


_ALWAYS = (
    check_a_curve_is_predicted,
    check_version_can_name_a_folder,
    check_arrays_are_shaped_as_the_grid,
    check_values_are_finite,
    check_mean_is_vmaf,
    check_covariance_is_positive_semidefinite,
    check_is_deterministic,
    check_is_deterministic_across_processes,
    check_context_is_left_alone,
    check_unmeasured_features,
    check_huge_features,
    check_unknown_encoder,
    check_unknown_preset,
    check_cache_folder_need_not_be_there,
    check_predict_keeps_its_budget,
    check_writes_only_in_its_cache_folder,
    check_uses_no_network,
)

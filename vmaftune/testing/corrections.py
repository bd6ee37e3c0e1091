"""The contract of corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vmaftune.contract.captures import Capture
from vmaftune.contract.curves import Adjustment, CurveContext
from vmaftune.contract.plugins import Correction, CorrectionSpec
from vmaftune.testing import answers, cases, common
from vmaftune.testing.answers import where
from vmaftune.testing.check import ContractError
from vmaftune.testing.process import Report
from vmaftune.testing.subject import Subject

_SOURCES = 9
_PROCESSES = 2
_ANOTHER_VERSION = "checked-1badcafe"


class _Kept(NamedTuple):
    """What was learned by a process that was killed right after: its report, and what an instance made later answers."""

    report: Report
    later: list[Adjustment]


class CorrectionSubject(Subject[CorrectionSpec]):
    """A correction under test."""

    @cached_property
    def contexts(self) -> list[CurveContext]:
        """Curves of what it is taught first, then of all encoders that are installed."""
        spec = cases.LEARNED_ENCODER
        seen, new = self.captures[0].features, cases.sources(1, seed=4)[0]
        taught = [cases.curve(features, spec, spec.default_preset) for features in (seen, new)]
        return [*taught, *cases.contexts(self.encoders)]

    @cached_property
    def captures(self) -> list[Capture]:
        """What it is taught."""
        return cases.captures(cases.sources(_SOURCES))

    @cached_property
    def cold(self) -> list[Adjustment]:
        """What it answers with nothing learned."""
        with self.folder() as folder:
            return correct_all(self.make(folder), self.contexts)

    @cached_property
    def learned(self) -> list[Adjustment]:
        """What it answers after all captures."""
        with self.folder() as folder:
            return learn_and_correct(self.make(folder), self.captures, self.contexts)

    @property
    def all(self) -> Iterator[tuple[CurveContext, Adjustment]]:
        """Every curve with what it made of it: with nothing learned, and after all captures."""
        for adjustments in (self.cold, self.learned):
            yield from zip(self.contexts, adjustments, strict=True)

    @cached_property
    def kept(self) -> _Kept:
        """What another process learned."""
        with self.folder() as folder:
            (report,) = self.together(folder, learn_and_correct, [(self.captures, self.contexts)])
            return _Kept(report, correct_all(self.make(folder), self.contexts))

    def answers_well(self, correction: Correction, context: CurveContext) -> None:
        """Raises ContractError where one of its answers is none."""
        answers.whole(correction.correct(cases.copied(context), cases.given(context)), context)

    def none_lost(self, folder: Path, learners: str) -> None:
        """Raises ContractError where not all captures count, as they do for one process that learns them one by one."""
        with self.folder() as another:
            learn_and_correct(self.make(another), self.captures, ())
            expected = self.resting_on(another)
        if (found := self.resting_on(folder)) != expected:
            learned = f"{len(self.captures)} captures that several {learners} learn at once count as {found}"
            raise ContractError(f"{learned}, learned one by one as {expected}")

    def resting_on(self, folder: Path) -> int:
        """How many captures an instance made now rests on."""
        return correct_all(self.make(folder), self.contexts[:1])[0].captures

    def same(self, first: Sequence[Adjustment], second: Sequence[Adjustment], within: float, words: str) -> None:
        """Raises ContractError where two lists of answers to the contexts differ."""
        for context, one, other in zip(self.contexts, first, second, strict=True):
            if not answers.same(one, other, within):
                raise ContractError(f"{words} ({where(context)})")


def correct_all(correction: Correction, contexts: Sequence[CurveContext]) -> list[Adjustment]:
    """Each in its turn."""
    return [correction.correct(cases.copied(context), cases.given(context)) for context in contexts]


def learn_and_correct(
    correction: Correction, captures: Sequence[Capture], contexts: Sequence[CurveContext]
) -> list[Adjustment]:
    """All captures, then all curves."""
    for capture in captures:
        correction.learn(capture)
    return correct_all(correction, contexts)


def checks(spec: CorrectionSpec) -> list[Callable[[CorrectionSubject], None]]:
    """Those that hold for what the spec declares."""
    made: list[Callable[[CorrectionSubject], None]] = [*common.FOR_ALL, *_ALWAYS]
    made += [check_threads_lose_no_capture] if spec.thread_safe else []
    made += [check_processes_lose_no_capture] if spec.process_safe else []
    return made


def check_nothing_learned_changes_nothing(of: CorrectionSubject) -> None:
    """With nothing learned the shift is exactly 0, the covariance is as given, and it rests on 0 captures."""
    for context, adjustment in zip(of.contexts, of.cold, strict=True):
        if np.any(np.asarray(adjustment.shift) != 0.0):
            raise ContractError(
                f"with nothing learned it shifts by {np.ravel(adjustment.shift)[0]:g} ({where(context)})"
            )
        given = cases.given(context).covariance
        if adjustment.covariance is not None and not np.array_equal(adjustment.covariance, given):
            raise ContractError(f"with nothing learned it changes the covariance ({where(context)})")
        if adjustment.captures != 0:
            raise ContractError(f"with nothing learned it rests on {adjustment.captures} captures ({where(context)})")


def check_arrays_are_shaped_as_the_grid(of: CorrectionSubject) -> None:
    """Shift and covariance are float64, of shapes (n,) and (n, n) for n CRFs, down to a single one."""
    for context, adjustment in of.all:
        answers.shaped(adjustment, context)


def check_values_are_finite(of: CorrectionSubject) -> None:
    """No value is NaN or infinite, whether it has learned or not."""
    for context, adjustment in of.all:
        answers.finite(adjustment, context)


def check_shift_can_be_believed(of: CorrectionSubject) -> None:
    """The shift is not larger than the host believes."""
    for context, adjustment in of.all:
        answers.believable(adjustment, context)


def check_covariance_is_positive_semidefinite(of: CorrectionSubject) -> None:
    """A covariance is symmetric and positive semi-definite."""
    for context, adjustment in of.all:
        answers.covariance(adjustment, context)


def check_is_deterministic(of: CorrectionSubject) -> None:
    """The same curve corrected again, with nothing learned meanwhile, is the same in every bit."""
    with of.folder() as folder:
        correction = of.make(folder)
        first = learn_and_correct(correction, of.captures, of.contexts)
        of.same(first, correct_all(correction, of.contexts), 0.0, "asked again, it corrects otherwise")


def check_arguments_are_left_alone(of: CorrectionSubject) -> None:
    """What it is given is as it was before."""
    with of.folder() as folder:
        correction = of.make(folder)
        learn_and_correct(correction, of.captures, ())
        for context in of.contexts:
            given, asked = cases.given(context), cases.copied(context)
            correction.correct(asked, given)
            if not (answers.same(given, cases.given(context)) and np.array_equal(asked.crfs, context.crfs)):
                raise ContractError(f"it changes the prediction or the context that it is given ({where(context)})")


def check_what_was_learned_is_kept(of: CorrectionSubject) -> None:
    """What a process learned that was killed right after, an instance made later corrects by."""
    words = "what another process learned before it was killed is not what corrections rest on later"
    of.same(of.kept.report.result, of.kept.later, answers.SAME_VMAF, words)


def check_another_predictor_starts_anew(of: CorrectionSubject) -> None:
    """Under another version of the predictor it begins with nothing learned."""
    with of.folder() as folder:
        learn_and_correct(of.make(folder), of.captures, ())
        later = correct_all(of.make(folder, _ANOTHER_VERSION), of.contexts)
    of.same(of.cold, later, 0.0, "what was learned under one version of the predictor is used under another")


def check_odd_features(of: CorrectionSubject) -> None:
    """Of a source without pilots (NaN), and of one that cannot be, it makes a finite correction as of any other."""
    ordinary = of.contexts[0]
    with of.folder() as folder:
        correction = of.make(folder)
        learn_and_correct(correction, of.captures, ())
        for features in (cases.unmeasured(ordinary.features), *cases.huge(ordinary.features)):
            of.answers_well(correction, replace(ordinary, features=features))


def check_odd_captures(of: CorrectionSubject) -> None:
    """Captures of such sources, and of scores that are 100 VMAF off, leave its corrections finite and believable."""
    with of.folder() as folder:
        correction = of.make(folder)
        learn_and_correct(correction, of.captures, ())
        for capture in cases.odd_captures():
            correction.learn(capture)
            of.answers_well(correction, of.contexts[0])


def check_cache_folder_need_not_be_there(of: CorrectionSubject) -> None:
    """It corrects and learns on a host where the cache folder was never made."""
    with of.folder() as folder:
        correct_all(of.make(folder / "not" / "made"), of.contexts[:1])
        learn_and_correct(of.make(folder / "not" / "made"), of.captures[:1], of.contexts[:1])


def check_correct_keeps_its_budget(of: CorrectionSubject) -> None:
    """A correction takes the time that its spec declares (budget_ms)."""
    context = of.contexts[0]
    prediction = cases.given(context)
    with of.folder() as folder:
        correction = of.make(folder)
        learn_and_correct(correction, of.captures, ())
        common.in_budget(of, "correct", partial(correction.correct, context, prediction))


def check_learn_keeps_its_budget(of: CorrectionSubject) -> None:
    """Learning a capture takes the time that its spec declares (budget_ms)."""
    with of.folder() as folder:
        correction, captures = of.make(folder), iter(of.captures)
        common.in_budget(of, "learn", lambda: correction.learn(next(captures)))


def check_writes_only_in_its_cache_folder(of: CorrectionSubject) -> None:
    """Made, taught and used in another process, it writes nowhere but in its cache folder."""
    common.only_wrote_in_its_folder(of.kept.report)


def check_uses_no_network(of: CorrectionSubject) -> None:
    """Made, taught and used in another process, it opens no connection and looks no name up."""
    common.reached_nobody(of.kept.report)


def check_threads_lose_no_capture(of: CorrectionSubject) -> None:
    """It declares thread_safe: what several threads teach one instance at once is learned once each."""
    with of.folder() as folder:
        correction = of.make(folder)
        shares = [of.captures[n :: common.THREADS] for n in range(common.THREADS)]
        common.at_once([partial(learn_and_correct, correction, share, of.contexts[:1]) for share in shares])
        of.none_lost(folder, "threads")


def check_processes_lose_no_capture(of: CorrectionSubject) -> None:
    """It declares process_safe: what several processes learn at once in one cache folder is learned once each."""
    with of.folder() as folder:
        shares = [(of.captures[n::_PROCESSES], of.contexts[:1]) for n in range(_PROCESSES)]
        of.together(folder, learn_and_correct, shares)
        of.none_lost(folder, "processes")


_ALWAYS = (
    check_nothing_learned_changes_nothing,
    check_arrays_are_shaped_as_the_grid,
    check_values_are_finite,
    check_shift_can_be_believed,
    check_covariance_is_positive_semidefinite,
    check_is_deterministic,
    check_arguments_are_left_alone,
    check_what_was_learned_is_kept,
    check_another_predictor_starts_anew,
    check_odd_features,
    check_odd_captures,
    check_cache_folder_need_not_be_there,
    check_correct_keeps_its_budget,
    check_learn_keeps_its_budget,
    check_writes_only_in_its_cache_folder,
    check_uses_no_network,
)

"""Doing one job here and now: the search or encode that its options ask for, and what becomes of its errors."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from vmaftune.batch.messages import Job, Result, Step
from vmaftune.contract.records import ProbeRecord
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Goal
from vmaftune.encoders.spec import number
from vmaftune.errors import TargetError, VmafTuneError, foreseen
from vmaftune.jobs.encode import missed, run_encode
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.larger import search_is_larger
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.options import EncodeOptions, SearchOptions, checked
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import SearchReport, not_met
from vmaftune.jobs.session import Session
from vmaftune.learned.captures import CaptureLine
from vmaftune.quality.measure import Measure

_OUR_FAILURE = 1
_EXPECTED_PROBES = 3
_TELL_SECONDS = 0.2
_SEARCH_SHARE, _CHECK_FROM = 0.3, 0.95  # of a job that encodes too; where its encode ends and the check begins


def perform(job: Job, tell: Callable[[Step], None]) -> Result:
    """Do ``job`` to its end, whatever that is.

    Args:
        tell: told of its steps and warnings; what it raises ends ffmpeg and is raised here.
    """
    began = time.monotonic()
    observer = _Telling(tell, searching=1.0 if job.output is None else _SEARCH_SHARE)
    warnings: list[str] = []

    def warn(line: str) -> None:
        warnings.append(line)
        tell(Step(warning=line))

    try:
        report = _report(job, observer, warn)
        code, reason = _verdict(report)
        result = Result(code=code, reason=reason, report=msgspec.to_builtins(report))
    except Exception as error:
        result = failure(error)
    seconds = round(time.monotonic() - began, 3)
    return msgspec.structs.replace(result, warnings=warnings, captures=observer.captures, seconds=seconds)


def failure(error: Exception) -> Result:
    """What becomes of a job that ``error`` ended."""
    if isinstance(error, OSError):
        error = foreseen(error)
    if isinstance(error, VmafTuneError):
        code, text = error.exit_code, str(error)
    else:
        code = _OUR_FAILURE
        text = f"a fault of vmaf-tune itself, please report it: {type(error).__name__}: {error}"
    return Result(code=code, reason=" ".join(text.split()))


def _report(job: Job, observer: JobObserver, warn: Callable[[str], None]) -> SearchReport | EncodeReport:
    if job.output_path is None:
        report = run_search(Session(checked(job.options, SearchOptions), warn), job.path, observer, source=job.cut)
        if report.target_met and (larger := search_is_larger(report)) is not None:
            warn(larger)
        return report
    # An output that a killed run had finished is taken as it is.
    options = {**job.options, "overwrite": job.replace, "resume": True}
    return run_encode(Session(checked(options, EncodeOptions), warn), job.path, job.output_path, observer)


def _verdict(report: SearchReport | EncodeReport) -> tuple[int, str]:
    if isinstance(report, SearchReport):
        return (0, "") if report.target_met else (TargetError.exit_code, not_met(report))
    reason = missed(report)
    return (0, "") if reason is None else (TargetError.exit_code, reason)


class _Telling(JobObserver):
    """Turns what happens into steps, and keeps the scores that were paid for.

    Args:
        searching: share of the job that the search is.
    """

    def __init__(self, tell: Callable[[Step], None], searching: float) -> None:
        self._tell, self._searching = tell, searching
        self._curve: PredictedCurve | None = None
        self._what, self._done = "", 0.0
        self._verified: tuple[float, float] | None = None
        self._measure = Measure()
        self._probes = 0
        self._told_at = -math.inf
        self.captures: list[CaptureLine] = []

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        self._measure = source.comparison.metric.measure(source.comparison.model)
        self._step("predicting")

    def predicted(self, curve: PredictedCurve, crf: float, score: float) -> None:
        self._curve = curve

    def probing(self, number_: int, crf: float, probability: float | None, explore: bool) -> None:
        self._step(f"{'exploring ' if explore else ''}CRF {number(crf)}")

    def progress(self, share: float) -> None:
        self._share(share, self._searched(self._probes + share))

    def probed(self, record: ProbeRecord) -> None:
        self._probes += not record.cached
        self._done = self._searched(self._probes)
        if record.purpose == "verify":
            self._verified = (record.crf, record.score)
            if not record.cached and self._curve is not None and self._curve.teaches:
                self.captures.append(_capture(self._curve, record))

    def encoding(self, output: Path, crf: float, frames: int) -> None:
        self._done = self._searching
        self._step(f"encode CRF {number(crf)}")

    def encode_progress(self, share: float) -> None:
        self._share(share, self._searching + (_CHECK_FROM - self._searching) * share)

    def checking(self, what: str) -> None:
        self._done = _CHECK_FROM
        self._step(f"check {what}")

    def check_progress(self, share: float) -> None:
        self._share(share, _CHECK_FROM + (1.0 - _CHECK_FROM) * share)

    def _searched(self, probes: float) -> float:
        """A search that takes longer than most comes closer and closer to its end."""
        return self._searching * (1.0 - math.exp(-probes / _EXPECTED_PROBES * math.log(10)))

    def _step(self, what: str) -> None:
        self._what, self._told_at = what, -math.inf
        self._share(0.0, self._done)

    def _share(self, share: float, done: float) -> None:
        self._done = done
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._told_at = time.monotonic()
            told = Step(what=self._what, share=share, done=done, verified=self._verified, measure=self._measure)
            self._tell(told)


def _capture(curve: PredictedCurve, record: ProbeRecord) -> CaptureLine:
    context = curve.context
    return CaptureLine(
        features=[None if math.isnan(value) else value for value in context.features.values],
        encoder=context.encoder.name,
        preset=context.preset,
        crf=record.crf,
        observed=record.score,
        unix_seconds=time.time(),
        scale=None if context.scale.usual else context.scale.identity,
    )

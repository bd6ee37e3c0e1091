"""The search itself: prior, corrections, posterior, next CRF, stop. Design: estimation, not bisection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from vmaftune.contract.curves import CurveContext, FloatArray, Prediction
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import Features
from vmaftune.contract.records import ProbeRecord, ProbeRequest
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.posterior import Posterior
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import Exploring, Goal, Probe, Stop, decide
from vmaftune.quality.metric import Metric
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.quality.vmaf import VMAF


class ProbeMaker(Protocol):
    """What the search needs of whoever makes probes."""

    @property
    def frames(self) -> int:
        """Frames that one probe encodes."""

    @property
    def samples(self) -> int:
        """In how many samples."""

    @property
    def exploring_share(self) -> float | None:
        """Time of an exploring probe as a share of a verifying one's; None where it makes none."""

    def cached(self) -> dict[float, ProbeRecord]:
        """Verifying probes made before, by CRF."""

    def explored(self) -> dict[float, ProbeRecord]:
        """Exploring probes made before, by CRF."""

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        """Encode and score all frames."""

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        """Encode all frames and score a part of them."""


class Plugins(Protocol):
    """What the search needs of whoever predicts, corrects and learns. A lesson is what is to be learned of one score."""

    def predict(self, context: CurveContext) -> PredictedCurve:
        """The local prior of one source."""

    def remembering(
        self, curve: PredictedCurve, index: int
    ) -> AbstractContextManager[Callable[[float], Sequence[Any]]]:
        """Within, a score at one place of the grid is made and kept; what it yields is called with it, and gives lessons."""

    def teach(self, lessons: Iterable[Any]) -> None:
        """Let corrections and trainers learn."""

    def before_probe(self, request: ProbeRequest) -> None:
        """An encode and its scoring begin."""

    def after_probe(self, request: ProbeRequest, record: ProbeRecord) -> None:
        """What came of them."""


class Observer:
    """Told of what happens, for a screen or a stream of events; does nothing by itself."""

    def measuring(self, path: Path, share: float) -> None:
        """The features of a source are being measured, 0 to 1; not told of where the cache holds them."""

    def prepared(self, source: PreparedSource, goal: Goal) -> None:
        """The source is read, cut and measured; the search for ``goal`` comes next."""

    def begun(self, frames: int) -> None:
        """A search begins, each probe of which encodes so many frames."""

    def predicted(self, curve: PredictedCurve, crf: float, score: float) -> None:
        """The prior is known, and with it the first guess."""

    def known(self, records: Sequence[ProbeRecord], crf: float, score: float) -> None:
        """Earlier searches made these probes; with them, ``score`` is expected at ``crf``. ``probed`` is told of each next."""

    def probing(self, number: int, crf: float, probability: float | None, explore: bool) -> None:
        """A probe begins; ``probability`` is that of its verified score lying within tolerance, None where it is no guess."""

    def progress(self, share: float) -> None:
        """The probe has done this share of its work, 0 to 1."""

    def probed(self, record: ProbeRecord) -> None:
        """A probe was made, or taken from the cache."""


class CurveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was believed of the curve, before and after, for figures and reports; all of shape (n,).

    Attributes:
        crfs: the grid.
        prior_mean, prior_deviation, posterior_mean, posterior_deviation: in the metric's unit.
    """

    crfs: list[float]
    prior_mean: list[float]
    prior_deviation: list[float]
    posterior_mean: list[float]
    posterior_deviation: list[float]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a search ended.

    Attributes:
        stop: reason, result and whether the target is met.
        best: the probe that is the result, always a verifying one; the closest one where the target is not met.
        probes: all that were known, cached ones first, then in the order they were made; verifying and exploring.
        predicted_crf: the first guess of the prior.
        predicted_score: what the prior said of the CRF that became the result.
        curve: prediction and corrections.
        report: the curve before and after.
    """

    stop: Stop
    best: ProbeRecord
    probes: list[ProbeRecord]
    predicted_crf: float
    predicted_score: float
    curve: PredictedCurve
    report: CurveReport


class _Facing:
    """Turns scores so that more is better, as the search takes them, and back; where the metric is so, that changes nothing."""

    def __init__(self, metric: Metric) -> None:
        self._sign, self._grain = 1.0 if metric.higher_is_better else -1.0, metric.grain

    def of(self, record: ProbeRecord) -> float:
        """The score of a probe, turned."""
        return self._sign * record.score

    def score(self, turned: float) -> float:
        """A score, turned back."""
        return float(self._sign * turned)

    def goal(self, goal: Goal) -> Goal:
        """The goal, turned."""
        return replace(goal, target=self._sign * goal.target, grain=self._grain)

    def posterior(self, prior: Prediction) -> Posterior:
        """What is believed of the turned curve."""
        turned = Prediction(mean=self._sign * prior.mean, covariance=prior.covariance)
        return Posterior(turned, self._grain)

    def report(self, crfs: FloatArray, prior: Posterior, posterior: Posterior) -> CurveReport:
        """The curve before and after, turned back."""
        means = self._sign * prior.mean, self._sign * posterior.mean
        columns = (crfs, means[0], prior.deviation(), means[1], posterior.deviation())
        names = CurveReport.__struct_fields__
        return CurveReport(**{name: np.round(c, 4).tolist() for name, c in zip(names, columns, strict=True)})


def search(
    *,
    features: Features,
    encoder: EncoderSpec,
    preset: str | None,
    grid: FloatArray,
    goal: Goal,
    max_encoded_percent: float | None,
    prober: ProbeMaker,
    plugins: Plugins,
    observer: Observer,
    metric: Metric = VMAF,
    scale: Scale = USUAL,
    filtered: bool = False,
) -> Outcome:
    """Find the coarsest CRF of ``grid`` whose verified score reaches the target.

    Every verified score that is paid for is handed to the corrections and trainers. Cached scores, on the grid or off it,
    condition the curve first and are not learned from again. Exploring scores condition it too, and are no result.

    Args:
        grid: CRFs that may be probed and be the result, from best to coarsest, shape (n,).
        metric: what is measured; ``goal`` is in its unit.
        scale: of what scale the scores are.
        filtered: as of CurveContext.
    """
    faced = _Facing(metric)
    known, hinted, share = prober.cached(), prober.explored(), prober.exploring_share
    crfs = _union(grid, [*known, *hinted], encoder)
    place = {crf: index for index, crf in enumerate(crfs.tolist())}
    allowed = [place[crf] for crf in grid.tolist()]
    may_result = set(allowed)
    context = CurveContext(features=features, encoder=encoder, preset=preset, crfs=crfs, scale=scale, filtered=filtered)
    curve = plugins.predict(context)
    prior, posterior = faced.posterior(curve.corrected), faced.posterior(curve.corrected)
    goal = faced.goal(goal)
    centre = goal.target + goal.tolerance / 2
    guess = allowed[int(np.argmin(np.abs(prior.mean[allowed] - centre)))]
    observer.begun(prober.frames)
    observer.predicted(curve, float(crfs[guess]), faced.score(prior.mean[guess]))

    probes: dict[int, ProbeRecord] = {}
    explored: dict[int, ProbeRecord] = {}
    told: list[ProbeRecord] = []
    for crf, record in known.items():
        posterior.condition(place[crf], faced.of(record))
        if place[crf] in may_result:
            probes[place[crf]] = record
    for crf, record in hinted.items():
        posterior.explore(place[crf], faced.of(record), record.deviation)
        explored[place[crf]] = record
    for record in (*probes.values(), *(record for index, record in explored.items() if index in may_result)):
        told.append(record)
    if told:
        now = allowed[int(np.argmin(np.abs(posterior.mean[allowed] - centre)))]
        observer.known(told, float(crfs[now]), faced.score(posterior.mean[now]))
    for record in told:
        observer.probed(record)

    made = explorations = 0
    while True:
        scores = {index: faced.of(record) for index, record in probes.items()}
        exploring = None if share is None else Exploring(share=share, made=explorations, places=explored)
        step = _too_large(probes, scores, goal, max_encoded_percent) or decide(
            posterior, scores, goal, made, allowed, exploring
        )
        if isinstance(step, Stop):
            if step.met and max_encoded_percent is not None:
                step = _within(step, probes[step.index], max_encoded_percent)
            break
        made += 1
        record, lessons = _probe(step, made, curve, prober, plugins, observer)
        told.append(record)
        if step.explore:
            explorations += 1
            explored[step.index] = record
            posterior.explore(step.index, faced.of(record), record.deviation)
            continue
        probes[step.index] = record
        posterior.condition(step.index, faced.of(record))
        plugins.teach(lessons)
    return Outcome(
        stop=step,
        best=probes[step.index],
        probes=told,
        predicted_crf=float(crfs[guess]),
        predicted_score=float(np.clip(faced.score(prior.mean[step.index]), *metric.limits(scale.model))),
        curve=curve,
        report=faced.report(crfs, prior, posterior),
    )


def _union(grid: FloatArray, known: Sequence[float], encoder: EncoderSpec) -> FloatArray:
    """The grid together with every CRF that was probed before, in the grid's order."""
    both = np.union1d(grid, np.array(known, dtype=float))
    return both[::-1].copy() if encoder.higher_is_better else both


def told_probe(
    request: ProbeRequest,
    make: Callable[[], ProbeRecord],
    plugins: Plugins,
    observer: Observer,
    probability: float | None = None,
) -> ProbeRecord:
    """One probe with all that goes round it: the plugins' hooks and the observer are told before and after.

    Args:
        make: encodes and scores.
        probability: that the verified score lies within tolerance; None where it is no guess.
    """
    plugins.before_probe(request)
    observer.probing(request.number, request.crf, probability, request.purpose == "explore")
    record = make()
    plugins.after_probe(request, record)
    observer.probed(record)
    return record


def _probe(
    step: Probe, number: int, curve: PredictedCurve, prober: ProbeMaker, plugins: Plugins, observer: Observer
) -> tuple[ProbeRecord, list[Any]]:
    """A probe, and what is to be learned of it."""
    crf, context = float(curve.context.crfs[step.index]), curve.context
    request = ProbeRequest(
        purpose="explore" if step.explore else "verify",
        number=number,
        encoder=context.encoder.name,
        preset=context.preset,
        crf=crf,
        frames=prober.frames,
        samples=prober.samples,
        scale=context.scale,
    )
    lessons: list[Any] = []

    def make() -> ProbeRecord:
        if step.explore:
            return prober.explore(crf, observer.progress)
        with plugins.remembering(curve, step.index) as remember:
            record = prober.probe(crf, observer.progress)
            lessons.extend(remember(record.score))
        return record

    return told_probe(request, make, plugins, observer, step.probability), lessons


def _too_large(
    probes: dict[int, ProbeRecord], scores: dict[int, float], goal: Goal, limit: float | None
) -> Stop | None:
    """A CRF that misses the target and is over the size already: every better one is larger still."""
    if limit is None:
        return None
    over = [i for i, r in probes.items() if scores[i] < goal.target and r.encoded_percent > limit]
    passing = [i for i in probes if scores[i] >= goal.target]
    if over and max(over) > max(passing, default=-1):
        return Stop(reason="too-large", index=max(over), met=False)
    return None


def _within(stop: Stop, result: ProbeRecord, limit: float) -> Stop:
    """The same stop, unless its result, the smallest encode that reaches the target, is over the size."""
    return stop if result.encoded_percent <= limit else Stop(reason="too-large", index=stop.index, met=False)

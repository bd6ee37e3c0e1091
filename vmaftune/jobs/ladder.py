"""A ladder: which resolution to stream at which bitrate, from measured encodes at several heights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.records import ProbeRecord
from vmaftune.crf_search.engine import told_probe
from vmaftune.crf_search.source import CutSource, PreparedSource
from vmaftune.encoders.spec import number
from vmaftune.errors import TargetError, UserError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.host.run import PluginRun
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.rates import RatePoint, bitrate_at, hull, measured_points, rate_point, rising
from vmaftune.jobs.search import goal_of
from vmaftune.jobs.search_report import encode_command, no_more_than
from vmaftune.jobs.session import Session, names_origins
from vmaftune.quality.measure import Measure
from vmaftune.quality.scored import Scored, ScoredReport, scored_by
from vmaftune.state.workspace import workspace

HEIGHTS = (2160, 1440, 1080, 720, 540, 432, 360, 270, 216)
_CURVE_PROBES = 4
_CURVE_SPAN = (0.1, 0.9)  # of the grid, from its best end
_MOST_STEPS_UP = 6
_STEP_VMAF = 6.0


class Rung(Scored, frozen=True, kw_only=True):
    """One encode of the ladder, measured.

    Attributes:
        width, height: of its pictures.
        crf, bitrate_kbps, score, vmaf: measured, against the source at its own size.
        on_hull: nothing measured is better for its bitrate, nor what can be mixed of two others.
        command: that encodes it.
    """

    width: int
    height: int
    crf: float
    bitrate_kbps: float
    score: float
    vmaf: float | None = None
    on_hull: bool
    command: str


class LadderCurve(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured at one height, by rising bitrate."""

    width: int
    height: int
    points: list[RatePoint]


class LadderReport(ScoredReport, frozen=True, kw_only=True):
    """What ``ladder --json`` prints; the field names are a promise. ``rungs`` stand from the best down."""

    source: str
    encoder: str
    preset: str | None
    rungs: list[Rung]
    curves: list[LadderCurve]
    probe_count: int
    ffmpeg: str
    pool: str
    total_seconds: float


class _Height:
    """The curve of one height as it becomes known in this run.

    A cached probe counts from when it is asked for: the rungs follow from the question and not from what else was measured.
    """

    def __init__(
        self,
        session: Session,
        ffmpeg: Ffmpeg,
        path: Path,
        source: CutSource,
        height: int | None,
        plugins: PluginRun,
        folder: Path,
        observer: JobObserver,
    ) -> None:
        self.source: PreparedSource = session.prepared(
            ffmpeg, path, folder, source, height, on_measure=observer.measuring
        )
        self.grid: FloatArray = session.grid(session.encoder(ffmpeg))
        self._prober = session.prober(ffmpeg, self.source, folder, explore=False)
        self._plugins = plugins
        self.known: dict[float, ProbeRecord] = {}
        self._cached = self._prober.cached()
        self.made = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the encode."""
        facts = self.source.facts
        return self.source.settings.scaled or (facts.width, facts.height)

    @property
    def points(self) -> list[RatePoint]:
        return measured_points(self.known.values(), self.measure.sign)

    @property
    def measure(self) -> Measure:
        """Of its scores."""
        comparison = self.source.comparison
        return comparison.metric.measure(comparison.model)

    def probe(self, crf: float, observer: JobObserver) -> ProbeRecord:
        """Measure one CRF, unless it was."""
        cached = self.known.get(crf) or self._cached.get(crf)
        if cached is not None:
            self.known[crf] = cached
            observer.probed(cached)
        else:
            self.made += 1
            request, prober = self._prober.request(self.made, crf), self._prober
            self.known[crf] = told_probe(request, lambda: prober.probe(crf, observer.progress), self._plugins, observer)
        return self.known[crf]

    def source_score(self) -> float:
        """Score of the source against itself, at the size of the comparison."""
        return self._prober.source_score()

    def crf_at(self, score: float) -> float:
        """The coarsest CRF of the grid at which that score is expected between measured ones."""
        sign = self.measure.sign
        curve = sorted((sign * self.known[p.crf].score, p.crf) for p in rising(self.points, sign))
        crf = np.interp(sign * score, [s for s, _ in curve], [c for _, c in curve])
        return float(self.grid[int(np.argmin(np.abs(self.grid - crf)))])


@names_origins
def run_ladder(
    session: Session, path: Path, heights: Sequence[int] | None, rungs: int, step: float | None, observer: JobObserver
) -> LadderReport:
    """Measure a few encodes at each height, choose the rungs on their hull, and measure those.

    The best rung reaches the target; each further one is ``step`` worse, at the height whose measured curve needs the
    fewest bits there. Nothing is learned from these encodes: predictions are of the source's own size.

    Args:
        heights: in pixels; None takes the source's own and the usual ones below it.
        rungs: at most.
        step: in the metric's unit; None takes as much as 6 VMAF.

    Raises:
        UserError: an option or the source is wrong.
        TargetError: no height reaches the target.
    """
    began = time.monotonic()
    goal, ffmpeg = goal_of(session), session.ffmpeg()
    step = _STEP_VMAF * session.metric().grain if step is None else step
    with session.plugins() as plugins, workspace() as folder:
        cut = session.cut(ffmpeg, path, folder)
        own = _Height(session, ffmpeg, path, cut, None, plugins, folder, observer)
        observer.measured(own.source)
        curves = [own]
        for height in _heights(own.size[1], heights):
            curves.append(_Height(session, ffmpeg, path, cut, height, plugins, folder, observer))
        if heights is not None and own.size[1] not in heights:
            curves.remove(own)
        for curve in curves:
            observer.searching("{}x{}".format(*curve.size))
            for crf in _spread(own.grid):
                curve.probe(crf, observer)
        chosen = _rungs(curves, goal.target, rungs, step, observer)
        points = [(curve, point) for curve in curves for point in curve.points]
        best = {
            points[n] for n in hull([p.bitrate_kbps for _, p in points], [p.score for _, p in points], own.measure.sign)
        }
        made = [_rung(ffmpeg, curve, probe, best) for curve, probe in chosen]
    source = own.source
    return LadderReport(
        **scored_by(source.comparison, source.scale),
        source=str(path),
        encoder=source.settings.spec.name,
        preset=source.settings.preset,
        rungs=made,
        curves=[LadderCurve(width=c.size[0], height=c.size[1], points=c.points) for c in curves],
        probe_count=sum(curve.made for curve in curves),
        ffmpeg=ffmpeg.version,
        pool=session.score_settings().pool,
        total_seconds=round(time.monotonic() - began, 3),
    )


def _heights(own: int, wanted: Sequence[int] | None) -> list[int]:
    """Heights below the source's, from the largest on."""
    if wanted is None:
        return [height for height in HEIGHTS if height < own]
    for height in wanted:
        if height > own:
            raise UserError(f"--heights {height} is above the source's {own}: nothing is gained by scaling up")
        if height < 16 or height % 2:
            raise UserError(f"--heights {height} must be an even number from 16 on")
    return sorted({height for height in wanted if height < own}, reverse=True)


def _spread(grid: FloatArray) -> list[float]:
    places = np.linspace(*_CURVE_SPAN, _CURVE_PROBES) * (len(grid) - 1)
    return [float(crf) for crf in grid[np.unique(places.round().astype(int))]]


def _rungs(
    curves: Sequence[_Height], target: float, rungs: int, step: float, observer: JobObserver
) -> list[tuple[_Height, ProbeRecord]]:
    chosen = [_top(curves, target, observer)]
    measure = curves[0].measure
    for place in range(1, rungs):
        score = measure.off(target, -place * step)
        cheapest = _cheapest(curves, score)
        if cheapest is None:
            break
        observer.searching("{}x{}, {}".format(*cheapest.size, measure.text(score, "g")))
        probe = cheapest.probe(cheapest.crf_at(score), observer)
        above = chosen[-1][1]
        if probe.bitrate_kbps < above.bitrate_kbps and not measure.reaches(probe.score, above.score):
            chosen.append((cheapest, probe))
    return chosen


def _top(curves: Sequence[_Height], target: float, observer: JobObserver) -> tuple[_Height, ProbeRecord]:
    """The rung that reaches the target, verified: finer step by step where the measured curves promised too much."""
    measure = curves[0].measure
    curve, told = _cheapest(curves, target) or curves[0], measure.text(target, "g")
    observer.searching("{}x{}, {}".format(*curve.size, told))
    place = int(np.argmin(np.abs(curve.grid - curve.crf_at(target))))
    for finer in range(_MOST_STEPS_UP + 1):
        probe = curve.probe(float(curve.grid[max(0, place - finer)]), observer)
        if measure.reaches(probe.score, target):
            return curve, probe
    if not measure.reaches(own := curves[0].source_score(), target):
        raise TargetError(f"{told} cannot be met: {no_more_than(measure, own)}; {measure.easier}")
    reached = max((p.score for c in curves for p in c.points), key=lambda score: measure.sign * score)
    raise TargetError(f"no height reaches {told}: the best measured is {measure.amount(reached)}; {measure.easier}")


def _cheapest(curves: Sequence[_Height], score: float) -> _Height | None:
    """The height that needs the fewest bits for a score; None where none was measured on both sides of it."""
    sign = curves[0].measure.sign
    found = ((bitrate_at(curve.points, score, sign), n) for n, curve in enumerate(curves))
    rates = [(rate, n) for rate, n in found if rate is not None]
    return curves[min(rates)[1]] if rates else None


def _rung(ffmpeg: Ffmpeg, curve: _Height, probe: ProbeRecord, best: set[tuple[_Height, RatePoint]]) -> Rung:
    return Rung(
        metric=probe.scale.metric,
        width=curve.size[0],
        height=curve.size[1],
        crf=probe.crf,
        bitrate_kbps=probe.bitrate_kbps,
        score=probe.score,
        on_hull=(curve, rate_point(probe)) in best,
        command=encode_command(ffmpeg, curve.source, probe.crf, "{}x{}-crf{}".format(*curve.size, number(probe.crf))),
    )

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
from vmaftune.jobs.rates import RatePoint, bitrate_at, hull, measured_points, rising
from vmaftune.jobs.search import goal_of
from vmaftune.jobs.search_report import encode_command, no_more_than
from vmaftune.jobs.session import Session, names_origins
from vmaftune.state.workspace import workspace

HEIGHTS = (2160, 1440, 1080, 720, 540, 432, 360, 270, 216)
_CURVE_PROBES = 4
_CURVE_SPAN = (0.1, 0.9)  # of the grid, from its best end
_MOST_STEPS_UP = 6


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One encode of the ladder, measured.

    Attributes:
        width, height: of its pictures.
        crf, bitrate_kbps, vmaf: measured, against the source at its own size.
        on_hull: nothing measured is better for its bitrate, nor what can be mixed of two others.
        command: that encodes it.
    """

    width: int
    height: int
    crf: float
    bitrate_kbps: float
    vmaf: float
    on_hull: bool
    command: str


class LadderCurve(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured at one height, by rising bitrate."""

    width: int
    height: int
    points: list[RatePoint]


class LadderReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``ladder --json`` prints; the field names are a promise. ``rungs`` stand from the best down."""

    source: str
    encoder: str
    preset: str | None
    rungs: list[Rung]
    curves: list[LadderCurve]
    probe_count: int
    ffmpeg: str
    vmaf_model: str
    vmaf_size: tuple[int, int] | None
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
        return measured_points(self.known.values())

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

    def source_vmaf(self) -> float:
        """VMAF of the source against itself, at the size of the comparison."""
        return self._prober.source_score()

    def crf_at(self, vmaf: float) -> float:
        """The coarsest CRF of the grid at which that VMAF is expected between measured ones."""
        curve = sorted((self.known[p.crf].score, p.crf) for p in rising(self.points))
        crf = np.interp(vmaf, [v for v, _ in curve], [c for _, c in curve])
        return float(self.grid[int(np.argmin(np.abs(self.grid - crf)))])


@names_origins
def run_ladder(
    session: Session, path: Path, heights: Sequence[int] | None, rungs: int, step_vmaf: float, observer: JobObserver
) -> LadderReport:
    """Measure a few encodes at each height, choose the rungs on their hull, and measure those.

    The best rung reaches ``min_vmaf``; each further one is ``step_vmaf`` lower, at the height whose measured curve needs the
    fewest bits there. Nothing is learned from these encodes: predictions are of the source's own size.

    Args:
        heights: in pixels; None takes the source's own and the usual ones below it.
        rungs: at most.

    Raises:
        UserError: an option or the source is wrong.
        TargetError: no height reaches ``min_vmaf``.
    """
    began = time.monotonic()
    goal, ffmpeg = goal_of(session), session.ffmpeg()
    with session.plugins() as plugins, workspace() as folder:
        cut = session.cut(ffmpeg, path, folder)
        own = _Height(session, ffmpeg, path, cut, None, plugins, folder, observer)
        curves = [own]
        for height in _heights(own.size[1], heights):
            curves.append(_Height(session, ffmpeg, path, cut, height, plugins, folder, observer))
        if heights is not None and own.size[1] not in heights:
            curves.remove(own)
        for curve in curves:
            observer.searching("{}x{}".format(*curve.size))
            for crf in _spread(own.grid):
                curve.probe(crf, observer)
        chosen = _rungs(curves, goal.target, rungs, step_vmaf, observer)
        points = [(curve, point) for curve in curves for point in curve.points]
        best = {points[n] for n in hull([p.bitrate_kbps for _, p in points], [p.vmaf for _, p in points])}
        made = [_rung(ffmpeg, curve, probe, best) for curve, probe in chosen]
    source = own.source
    return LadderReport(
        source=str(path),
        encoder=source.settings.spec.name,
        preset=source.settings.preset,
        rungs=made,
        curves=[LadderCurve(width=c.size[0], height=c.size[1], points=c.points) for c in curves],
        probe_count=sum(curve.made for curve in curves),
        ffmpeg=ffmpeg.version,
        vmaf_model=source.comparison.model,
        vmaf_size=source.comparison.size,
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
    curves: Sequence[_Height], target: float, rungs: int, step_vmaf: float, observer: JobObserver
) -> list[tuple[_Height, ProbeRecord]]:
    chosen = [_top(curves, target, observer)]
    for step in range(1, rungs):
        vmaf = target - step * step_vmaf
        cheapest = _cheapest(curves, vmaf)
        if cheapest is None:
            break
        observer.searching("{}x{}, VMAF {:g}".format(*cheapest.size, vmaf))
        probe = cheapest.probe(cheapest.crf_at(vmaf), observer)
        above = chosen[-1][1]
        if probe.bitrate_kbps < above.bitrate_kbps and probe.score < above.score:
            chosen.append((cheapest, probe))
    return chosen


def _top(curves: Sequence[_Height], target: float, observer: JobObserver) -> tuple[_Height, ProbeRecord]:
    """The rung that reaches the target, verified: finer step by step where the measured curves promised too much."""
    curve = _cheapest(curves, target) or curves[0]
    observer.searching("{}x{}, VMAF {:g}".format(*curve.size, target))
    place = int(np.argmin(np.abs(curve.grid - curve.crf_at(target))))
    for finer in range(_MOST_STEPS_UP + 1):
        probe = curve.probe(float(curve.grid[max(0, place - finer)]), observer)
        if probe.score >= target:
            return curve, probe
    reached = max(p.vmaf for c in curves for p in c.points)
    if (own := curves[0].source_vmaf()) < target:
        raise TargetError(f"VMAF {target:g} cannot be met: {no_more_than(own)}; lower --min-vmaf")
    raise TargetError(f"no height reaches VMAF {target:g}: the best measured is {reached:.2f}; lower --min-vmaf")


def _cheapest(curves: Sequence[_Height], vmaf: float) -> _Height | None:
    """The height that needs the fewest bits for a VMAF; None where none was measured on both sides of it."""
    rates = [(rate, n) for n, curve in enumerate(curves) if (rate := bitrate_at(curve.points, vmaf)) is not None]
    return curves[min(rates)[1]] if rates else None


def _rung(ffmpeg: Ffmpeg, curve: _Height, probe: ProbeRecord, best: set[tuple[_Height, RatePoint]]) -> Rung:
    point = RatePoint(bitrate_kbps=probe.bitrate_kbps, vmaf=probe.score, crf=probe.crf)
    return Rung(
        width=curve.size[0],
        height=curve.size[1],
        crf=probe.crf,
        bitrate_kbps=probe.bitrate_kbps,
        vmaf=probe.score,
        on_hull=(curve, point) in best,
        command=encode_command(ffmpeg, curve.source, probe.crf, "{}x{}-crf{}".format(*curve.size, number(probe.crf))),
    )

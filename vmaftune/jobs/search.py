"""Finding the CRF of one source."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from vmaftune.crf_search.engine import Observer, Outcome, search
from vmaftune.crf_search.source import CutSource
from vmaftune.crf_search.strategy import Goal
from vmaftune.errors import UserError
from vmaftune.host.run import PluginRun
from vmaftune.jobs.search_report import SearchReport, search_report
from vmaftune.jobs.session import Session, names_origins
from vmaftune.quality.measure import Measure
from vmaftune.quality.targets import ANY, TARGET_OPTIONS, flag
from vmaftune.state.workspace import workspace

_MOST_TOLERANCE = 20.0  # of VMAF


@names_origins
def run_search(
    session: Session,
    path: Path,
    observer: Observer,
    plugins: PluginRun | None = None,
    source: CutSource | None = None,
) -> SearchReport:
    """One search as the session's options want it.

    Args:
        plugins: those of a longer job; None begins and ends its own.
        source: what is at ``path``, where it was read and cut already.

    Raises:
        UserError: an option or the source is wrong.
    """
    began = time.monotonic()
    goal = goal_of(session)
    limit = limit_of(session)
    session.score_settings()
    ffmpeg = session.ffmpeg()
    spec = session.encoder(ffmpeg)
    grid = session.grid(spec)
    with ExitStack() as stack:
        run = stack.enter_context(session.plugins()) if plugins is None else plugins
        folder = stack.enter_context(workspace())
        prepared = session.prepared(ffmpeg, path, folder, source, on_measure=observer.measuring)
        observer.prepared(prepared, goal)
        explore = session.option("explore", True)
        prober = session.prober(ffmpeg, prepared, folder, explore=explore, apart=bool(run.active))
        outcome: Outcome = search(
            features=prepared.measured.features,
            encoder=spec,
            preset=prepared.settings.preset,
            grid=grid,
            goal=goal,
            max_encoded_percent=limit,
            prober=prober,
            plugins=run,
            observer=observer,
            metric=prepared.comparison.metric,
            scale=prepared.scale,
            filtered=prepared.filtered,
        )
        own = None if outcome.stop.met or outcome.stop.reason == "too-large" else prober.source_score()
        active = [(r.name, r.kind, r.version) for r in run.active]
    seconds = time.monotonic() - began
    return search_report(outcome, prepared, ffmpeg, goal, active, total_seconds=seconds, source_score=own)


def limit_of(session: Session) -> float | None:
    """The largest encode that is allowed, in percent of the source's video; None where any is.

    Raises:
        UserError: none could be.
    """
    limit: float | None = session.option("max_encoded_percent", None)
    if limit is not None and not limit > 0:
        raise UserError(f"--max-encoded-percent {limit:g} must be above 0")
    return limit


def goal_of(session: Session) -> Goal:
    """What the options ask for.

    Raises:
        UserError: it is out of range.
    """
    metric = session.metric()
    asked, tolerance = session.target(), session.option("tolerance", metric.default_tolerance)
    target = metric.default_target if asked is None else asked
    _check_target(session, metric.measure(session.score_settings().model or ""), target)
    most = _MOST_TOLERANCE * max(1.0, metric.grain)
    if not 0 <= tolerance <= most:
        raise UserError(f"--tolerance {tolerance:g} must be from 0 to {most:g}")
    return Goal(target=target, tolerance=tolerance, max_probes=session.option("max_probes", 10))


def _check_target(session: Session, measure: Measure, target: float) -> None:
    low, high, up = measure.lowest, measure.highest, measure.higher_is_better
    if low < target <= high if up else low <= target < high:
        return
    option = next((name for name in TARGET_OPTIONS if session.option(name, None) is not None), ANY)
    lower, upper = (f"above {low:g}", f"at most {high:g}") if up else (f"at least {low:g}", f"below {high:g}")
    raise UserError(f"{flag(option)} {target:g} must be {lower} and {upper}: {measure.title} ends there")

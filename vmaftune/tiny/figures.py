"""How near scores are to what they should be: correlations, error, latency, and their mean and spread over folds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.tiny.table import FrameTable

METRICS = ("plcc", "srocc", "krocc", "rmse")
CALLS = 5_000
_WARM_UP = 500
_ROUNDS = 5


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Scores against true ones.

    Attributes:
        count: of frames or clips.
        plcc: Pearson's linear correlation; None, like the next two, where there are too few or they do not vary.
        srocc: Spearman's rank correlation.
        krocc: Kendall's rank correlation, tau-b.
        rmse: root of the mean squared error, VMAF.
    """

    count: int
    plcc: float | None
    srocc: float | None
    krocc: float | None
    rmse: float


class SourceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one source, of its frames and of its clips (the mean over the frames of each)."""

    source: str
    frame: Figures
    clip: Figures


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over sources: mean, standard deviation, and the worst with its source."""

    mean: float
    sd: float
    worst: float
    worst_source: str


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """What one call for one frame costs in onnxruntime on the processor, one thread, in microseconds.

    Calls are timed in a few rounds, of which the quietest counts: other work on the host is no cost of the model.

    Attributes:
        bound_p50_us, bound_p95_us: of FrameScorer: features into a bound buffer, run, score out of it.
        run_p50_us, run_p95_us: of ``session.run`` with a new array for the result.
        calls: of a round.
    """

    bound_p50_us: float
    bound_p95_us: float
    run_p50_us: float
    run_p95_us: float
    calls: int


def figures(said: FloatArray, wanted: FloatArray) -> Figures:
    """Of n scores, both of shape (n,), n at least 1."""
    from scipy.stats import kendalltau, pearsonr, spearmanr

    rmse = float(np.sqrt(np.mean((said - wanted) ** 2)))
    if len(said) < 2 or np.ptp(said) == 0.0 or np.ptp(wanted) == 0.0:
        return Figures(count=len(said), plcc=None, srocc=None, krocc=None, rmse=rmse)
    plcc, srocc, krocc = (float(found(said, wanted)[0]) for found in (pearsonr, spearmanr, kendalltau))
    return Figures(count=len(said), plcc=plcc, srocc=srocc, krocc=krocc, rmse=rmse)


def by_frame_and_clip(table: FrameTable, said: FloatArray) -> tuple[Figures, Figures]:
    """Figures of frames and of clips; a clip's score is the mean over its frames."""
    frames = np.bincount(table.clips)
    clips = [np.bincount(table.clips, weights=values) / frames for values in (said, table.scores)]
    return figures(said, table.scores), figures(clips[0], clips[1])


def by_source(table: FrameTable, said: FloatArray) -> tuple[SourceFigures, ...]:
    """Figures of every source."""
    found = []
    for place, name in enumerate(table.source_names):
        own = table.sources == place
        frame, clip = by_frame_and_clip(table.where(own), said[own])
        found.append(SourceFigures(source=name, frame=frame, clip=clip))
    return tuple(found)


def spreads(sources: Sequence[SourceFigures]) -> dict[str, Spread]:
    """Each metric of frames over the sources that have it; none where no source does."""
    found = {}
    for metric in METRICS:
        values = {s.source: getattr(s.frame, metric) for s in sources if getattr(s.frame, metric) is not None}
        if not values:
            continue
        worst = (max if metric == "rmse" else min)(values, key=lambda name: values[name])
        each = np.array(list(values.values()))
        found[metric] = Spread(mean=float(each.mean()), sd=float(each.std()), worst=values[worst], worst_source=worst)
    return found


def latency(frame: Callable[[FloatArray], object], rows: FloatArray) -> tuple[float, float]:
    """p50 and p95 of a call of ``frame`` with one row, shape (6,), in microseconds, in the quietest round over many rows."""
    rounds = [_round(frame, rows) for _ in range(_ROUNDS)]
    p50, p95 = min((np.percentile(each, (50, 95)) / 1e3 for each in rounds), key=lambda found: float(found[0]))
    return float(p50), float(p95)


def _round(frame: Callable[[FloatArray], object], rows: FloatArray) -> np.ndarray:
    """Nanoseconds of each call."""
    each = np.empty(CALLS)
    for row in islice(cycle(rows), _WARM_UP):
        frame(row)
    for number, row in enumerate(islice(cycle(rows), CALLS)):
        began = time.perf_counter_ns()
        frame(row)
        each[number] = time.perf_counter_ns() - began
    return each

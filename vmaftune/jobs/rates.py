"""Rate and quality of several encodes of one source: at equal score, in BD-rate, and on their convex hull.

``sign`` is everywhere what scores are multiplied by so that more is better (Measure.sign).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from vmaftune.contract.records import ProbeRecord
from vmaftune.quality.scored import Scored

LEAST_POINTS = 4
"""Points that a BD-rate is computed from at least (ITU-T HSTP-VID-WPOM)."""


class RatePoint(Scored, frozen=True, kw_only=True, order=True):
    """One measured encode."""

    bitrate_kbps: float
    score: float
    crf: float
    vmaf: float | None = None


def rate_point(probe: ProbeRecord) -> RatePoint:
    """The encode of a probe."""
    return RatePoint(metric=probe.scale.metric, bitrate_kbps=probe.bitrate_kbps, score=probe.score, crf=probe.crf)


def measured_points(probes: Iterable[ProbeRecord], sign: float = 1.0) -> list[RatePoint]:
    """The verified probes, by rising bitrate; of two with one bitrate the better."""
    verified = [rate_point(probe) for probe in probes if probe.purpose == "verify"]
    rising_ones = sorted(verified, key=lambda point: (point.bitrate_kbps, sign * point.score))
    return list({point.bitrate_kbps: point for point in rising_ones}.values())


def rising(points: Sequence[RatePoint], sign: float = 1.0) -> list[RatePoint]:
    """Those that score better than every cheaper one; a curve needs that."""
    kept: list[RatePoint] = []
    for point in points:
        if not kept or sign * point.score > sign * kept[-1].score:
            kept.append(point)
    return kept


def bitrate_at(points: Sequence[RatePoint], score: float, sign: float = 1.0) -> float | None:
    """Bitrate in kb/s at a score between measured ones: linear in its logarithm; None outside of them."""
    curve = rising(points, sign)
    scores = [sign * point.score for point in curve]
    if not curve or not scores[0] <= sign * score <= scores[-1]:
        return None
    return float(np.exp(np.interp(sign * score, scores, [np.log(p.bitrate_kbps) for p in curve])))


def bd_rate(anchor: Sequence[RatePoint], other: Sequence[RatePoint], sign: float = 1.0) -> float | None:
    """Bjøntegaard's delta rate of ``other`` against ``anchor``, in percent; below 0 is smaller at equal score.

    Akima interpolation, as recommended in Herglotz et al., "Beyond Bjøntegaard: limits of video compression performance
    comparisons", ICIP 2022. None where there are fewer than LEAST_POINTS points or the curves share no score.

    Raises:
        ImportError: the package ``bjontegaard`` is not installed.
    """
    import bjontegaard

    one, two = rising(anchor, sign), rising(other, sign)
    first, second = ([sign * point.score for point in curve] for curve in (one, two))
    if min(len(one), len(two)) < LEAST_POINTS or max(first[0], second[0]) >= min(first[-1], second[-1]):
        return None
    value = bjontegaard.bd_rate(
        [p.bitrate_kbps for p in one],
        first,
        [p.bitrate_kbps for p in two],
        second,
        method="akima",
        require_matching_points=False,
        min_overlap=0,
    )
    return float(value)


def hull(bitrates: Sequence[float], scores: Sequence[float], sign: float = 1.0) -> list[int]:
    """Indices of the points on the upper convex hull of quality over bitrate, by rising bitrate, up to the best score.

    Every point of the hull is the best that can be had for its bitrate; between two of them, nothing measured lies above the
    line that joins them (Netflix, "Per-title encode optimization", 2015). Andrew's monotone chain, 1979.
    """
    better = [sign * score for score in scores]
    order = sorted(range(len(bitrates)), key=lambda n: (bitrates[n], -better[n]))
    kept: list[int] = []
    for n in order:
        if kept and better[n] <= better[kept[-1]]:
            continue
        while len(kept) > 1 and _below(kept[-2], kept[-1], n, bitrates, better):
            kept.pop()
        kept.append(n)
    return kept


def _below(a: int, b: int, c: int, x: Sequence[float], y: Sequence[float]) -> bool:
    """Whether ``b`` lies on or below the line from ``a`` to ``c``."""
    return (y[b] - y[a]) * (x[c] - x[a]) <= (y[c] - y[a]) * (x[b] - x[a])

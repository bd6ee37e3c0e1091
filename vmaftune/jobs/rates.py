"""Rate and quality of several encodes of one source: at equal VMAF, in BD-rate, and on their convex hull."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from vmaftune.contract.records import ProbeRecord

LEAST_POINTS = 4
"""Points that a BD-rate is computed from at least (ITU-T HSTP-VID-WPOM)."""


class RatePoint(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One measured encode."""

    bitrate_kbps: float
    vmaf: float
    crf: float


def measured_points(probes: Iterable[ProbeRecord]) -> list[RatePoint]:
    """The verified probes, by rising bitrate; of two with one bitrate the better."""
    verified = (
        RatePoint(bitrate_kbps=p.bitrate_kbps, vmaf=p.score, crf=p.crf) for p in probes if p.purpose == "verify"
    )
    return list({point.bitrate_kbps: point for point in sorted(verified)}.values())


def rising(points: Sequence[RatePoint]) -> list[RatePoint]:
    """Those that score higher than every cheaper one; a curve needs that."""
    kept: list[RatePoint] = []
    for point in points:
        if not kept or point.vmaf > kept[-1].vmaf:
            kept.append(point)
    return kept


def bitrate_at(points: Sequence[RatePoint], vmaf: float) -> float | None:
    """Bitrate in kb/s at a VMAF between measured ones: linear in its logarithm; None outside of them."""
    curve = rising(points)
    if not curve or not curve[0].vmaf <= vmaf <= curve[-1].vmaf:
        return None
    return float(np.exp(np.interp(vmaf, [p.vmaf for p in curve], [np.log(p.bitrate_kbps) for p in curve])))


def bd_rate(anchor: Sequence[RatePoint], other: Sequence[RatePoint]) -> float | None:
    """Bjøntegaard's delta rate of ``other`` against ``anchor``, in percent; below 0 is smaller at equal VMAF.

    Akima interpolation, as recommended in Herglotz et al., "Beyond Bjøntegaard: limits of video compression performance
    comparisons", ICIP 2022. None where there are fewer than LEAST_POINTS points or the curves share no VMAF.

    Raises:
        ImportError: the package ``bjontegaard`` is not installed.
    """
    import bjontegaard

    one, two = rising(anchor), rising(other)
    if min(len(one), len(two)) < LEAST_POINTS or max(one[0].vmaf, two[0].vmaf) >= min(one[-1].vmaf, two[-1].vmaf):
        return None
    value = bjontegaard.bd_rate(
        [p.bitrate_kbps for p in one],
        [p.vmaf for p in one],
        [p.bitrate_kbps for p in two],
        [p.vmaf for p in two],
        method="akima",
        require_matching_points=False,
        min_overlap=0,
    )
    return float(value)


def hull(bitrates: Sequence[float], vmafs: Sequence[float]) -> list[int]:
    """Indices of the points on the upper convex hull of VMAF over bitrate, by rising bitrate, up to the best VMAF.

    Every point of the hull is the best that can be had for its bitrate; between two of them, nothing measured lies above the
    line that joins them (Netflix, "Per-title encode optimization", 2015). Andrew's monotone chain, 1979.
    """
    order = sorted(range(len(bitrates)), key=lambda n: (bitrates[n], -vmafs[n]))
    kept: list[int] = []
    for n in order:
        if kept and vmafs[n] <= vmafs[kept[-1]]:
            continue
        while len(kept) > 1 and _below(kept[-2], kept[-1], n, bitrates, vmafs):
            kept.pop()
        kept.append(n)
    return kept


def _below(a: int, b: int, c: int, x: Sequence[float], y: Sequence[float]) -> bool:
    """Whether ``b`` lies on or below the line from ``a`` to ``c``."""
    return (y[b] - y[a]) * (x[c] - x[a]) <= (y[c] - y[a]) * (x[b] - x[a])

"""Quality over bit rate: the chart that ladders and comparisons share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vmaftune.encoders.spec import number
from vmaftune.report.page import Section
from vmaftune.report.scale import Axis, plain
from vmaftune.report.svg import SHAPES, Chart, Layer, Line, Mark, Marks
from vmaftune.report.words import rate

_SHAPES = ("dot", "square", "triangle", "diamond", "ring", "cross", "plus", "hollow-square")
_COLOURS = 6
_SHOWN_BELOW_VMAF = 15.0


@dataclass(frozen=True, kw_only=True)
class RateCurve:
    """What was measured of one encoder, preset or size; all of shape (n,), by rising bit rate.

    Attributes:
        label: of what.
        bitrates_kbps, vmafs, crfs: of each encode.
    """

    label: str
    bitrates_kbps: Sequence[float]
    vmafs: Sequence[float]
    crfs: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A point that stands out, such as a rung: numbered, with what is shown when it is pointed at."""

    bitrate_kbps: float
    vmaf: float
    title: str


@dataclass(frozen=True, kw_only=True)
class _Shown:
    chart: Chart
    legend: Sequence[tuple[str, str, str]]
    caption: str
    hull: bool
    chosen: bool


def rates_section(
    curves: Sequence[RateCurve],
    title: str,
    caption: str,
    *,
    target: float | None = None,
    hull: Sequence[tuple[float, float]] = (),
    chosen: Sequence[Chosen] = (),
) -> Section:
    """VMAF over bit rate, which is drawn by its logarithm.

    Args:
        target: drawn as a line.
        hull: points (kb/s, VMAF) of the convex hull, by rising bit rate.
        chosen: points that stand out.
    """
    styles = [(f"s{n % _COLOURS} series", _SHAPES[n % len(_SHAPES)]) for n in range(len(curves))]
    layers: list[Layer] = []
    if hull:
        layers.append(Line(xs=[x for x, _ in hull], ys=[y for _, y in hull], style="hull", title="the convex hull"))
    marks = []
    for curve, (style, shape) in zip(curves, styles, strict=True):
        layers.append(Line(xs=curve.bitrates_kbps, ys=curve.vmafs, style=style, title=curve.label))
        for kbps, vmaf, crf in zip(curve.bitrates_kbps, curve.vmafs, curve.crfs, strict=True):
            text = f"{curve.label}, CRF {number(crf)}: {rate(kbps)}, VMAF {vmaf:.2f}"
            marks.append(Mark(x=kbps, y=vmaf, style=style, title=text, shape=shape))
    layers.append(Marks(marks=marks))
    rings = [
        Mark(x=one.bitrate_kbps, y=one.vmaf, style="chosen", title=one.title, label=str(n), shape="halo")
        for n, one in enumerate(chosen, 1)
    ]
    layers.append(Marks(marks=rings))
    points = [point for curve in curves for point in zip(curve.vmafs, curve.bitrates_kbps, strict=True)]
    points += [(one.vmaf, one.bitrate_kbps) for one in chosen]
    lowest = min(vmaf for vmaf, _ in points)
    if chosen:  # what lies far below the last rung was measured to know the curves, and is of no use
        lowest = max(lowest, min(one.vmaf for one in chosen) - _SHOWN_BELOW_VMAF)
    rates = [kbps for vmaf, kbps in points if vmaf >= lowest]
    low, high = min(rates) / 1.15, max(rates) * 1.15
    if target is not None:
        layers.insert(0, Line(xs=[low, high], ys=[target, target], style="goal", title=f"target {target:g}"))
    shown = _Shown(
        chart=Chart(
            x=Axis(low=low, high=high, label="kb/s, logarithmic", log=True, text=plain),
            y=Axis(low=max(0.0, 5.0 * math.floor((lowest - 1.0) / 5.0)), high=100.0, label="VMAF"),
            description=f"VMAF over bit rate of {', '.join(curve.label for curve in curves)}; the table has the figures.",
            layers=layers,
        ),
        legend=[(style, SHAPES[shape], c.label) for c, (style, shape) in zip(curves, styles, strict=True)],
        caption=caption,
        hull=bool(hull),
        chosen=bool(chosen),
    )
    return Section(title=title, template="rates", content=shown)

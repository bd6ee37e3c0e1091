"""Quality over bit rate: the chart that ladders and comparisons share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.encoders.spec import number
from vmaftune.quality.measure import Measure
from vmaftune.report.page import Section
from vmaftune.report.quality import score_axis, worse_than
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
        bitrates_kbps, scores, crfs: of each encode.
    """

    label: str
    bitrates_kbps: Sequence[float]
    scores: Sequence[float]
    crfs: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A point that stands out, such as a rung: numbered, with what is shown when it is pointed at."""

    bitrate_kbps: float
    score: float
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
    measure: Measure,
    title: str,
    caption: str,
    *,
    target: float | None = None,
    hull: Sequence[tuple[float, float]] = (),
    chosen: Sequence[Chosen] = (),
) -> Section:
    """The score over bit rate, which is drawn by its logarithm.

    Args:
        measure: of the scores.
        target: drawn as a line.
        hull: points (kb/s, score) of the convex hull, by rising bit rate.
        chosen: points that stand out.
    """
    styles = [(f"s{n % _COLOURS} series", _SHAPES[n % len(_SHAPES)]) for n in range(len(curves))]
    layers: list[Layer] = []
    if hull:
        layers.append(Line(xs=[x for x, _ in hull], ys=[y for _, y in hull], style="hull", title="the convex hull"))
    marks = []
    for curve, (style, shape) in zip(curves, styles, strict=True):
        layers.append(Line(xs=curve.bitrates_kbps, ys=curve.scores, style=style, title=curve.label))
        for kbps, score, crf in zip(curve.bitrates_kbps, curve.scores, curve.crfs, strict=True):
            text = f"{curve.label}, CRF {number(crf)}: {rate(kbps)}, {measure.text(score)}"
            marks.append(Mark(x=kbps, y=score, style=style, title=text, shape=shape))
    layers.append(Marks(marks=marks))
    rings = [
        Mark(x=one.bitrate_kbps, y=one.score, style="chosen", title=one.title, label=str(n), shape="halo")
        for n, one in enumerate(chosen, 1)
    ]
    layers.append(Marks(marks=rings))
    points = [point for curve in curves for point in zip(curve.scores, curve.bitrates_kbps, strict=True)]
    points += [(one.score, one.bitrate_kbps) for one in chosen]
    worst = measure.worst_of(np.array([score for score, _ in points]))
    if chosen:  # what is far worse than the last rung was measured to know the curves, and is of no use
        last = measure.worst_of(np.array([one.score for one in chosen]))
        least = measure.off(last, -_SHOWN_BELOW_VMAF * measure.grain)
        worst = least if measure.reaches(least, worst) else worst
    rates = [kbps for score, kbps in points if measure.reaches(score, worst)]
    low, high = min(rates) / 1.15, max(rates) * 1.15
    if target is not None:
        layers.insert(0, Line(xs=[low, high], ys=[target, target], style="goal", title=f"target {target:g}"))
    names = ", ".join(curve.label for curve in curves)
    shown = _Shown(
        chart=Chart(
            x=Axis(low=low, high=high, label="kb/s, logarithmic", log=True, text=plain),
            y=score_axis(
                measure,
                worse_than(measure, worst, 1.0),
                [*(score for score, _ in points), *([] if target is None else [target])],
            ),
            description=f"{measure.title} over bit rate of {names}; the table has the figures.",
            layers=layers,
        ),
        legend=[(style, SHAPES[shape], c.label) for c, (style, shape) in zip(curves, styles, strict=True)],
        caption=caption,
        hull=bool(hull),
        chosen=bool(chosen),
    )
    return Section(title=title, template="rates", content=shown)

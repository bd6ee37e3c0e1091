"""The curve of a search as it is drawn: what every figure of it shows, whoever draws it, and the chart of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.records import ProbeRecord
from vmaftune.encoders.spec import number
from vmaftune.jobs.search_report import SearchReport, result_probe
from vmaftune.quality.measure import Measure
from vmaftune.report.quality import score_axis, worse_than
from vmaftune.report.scale import Axis
from vmaftune.report.svg import Band, Chart, Layer, Line, Mark, Marks, Zone

BAND = 1.645
"""Deviations to either side within which 90 % of a normal distribution lie."""

_SHOWN_BELOW_VMAF = 10.0
_FLAT_WITHIN_VMAF = 2.0  # of the best score that is drawn


@dataclass(frozen=True, kw_only=True)
class Belief:
    """A curve with its 90 % band, each of shape (n,), within the scores that there are."""

    crfs: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


def belief(measure: Measure, crfs: Sequence[float], mean: Sequence[float], deviation: Sequence[float]) -> Belief:
    """What is drawn of a mean and its standard deviation."""
    middle, reach = np.array(mean), BAND * np.array(deviation)
    low, middle, high = (measure.clipped(line) for line in (middle - reach, middle, middle + reach))
    return Belief(crfs=np.array(crfs), mean=middle, low=low, high=high)


def prior(report: SearchReport) -> Belief:
    """What was expected before the first probe."""
    return belief(report.measure, report.curve.crfs, report.curve.prior_mean, report.curve.prior_deviation)


def posterior(report: SearchReport) -> Belief:
    """What is believed after the last."""
    return belief(report.measure, report.curve.crfs, report.curve.posterior_mean, report.curve.posterior_deviation)


def worst_shown(report: SearchReport) -> float:
    """Score at which figures end: what is worse was of no concern to the search."""
    measure = report.measure
    worst = min((report.target, *(probe.score for probe in report.probes)), key=lambda score: measure.sign * score)
    return worse_than(measure, worst, _SHOWN_BELOW_VMAF)


def how(probe: ProbeRecord) -> str:
    """How the score of a probe came about."""
    kind = "verified" if probe.purpose == "verify" else "explored"
    return f"{kind}, from the cache" if probe.cached else kind


def chart(report: SearchReport) -> Chart:
    """The chart of the page."""
    measure, before, after, worst = report.measure, prior(report), posterior(report), worst_shown(report)
    shown = [report.target, *(probe.score for probe in report.probes)]
    axis = score_axis(measure, worst, shown)
    span = _span(report, after, axis)
    low, high = measure.zone(report.target, report.tolerance)
    layers: list[Layer] = [
        Zone(
            low=low,
            high=high,
            style="zone",
            title=f"target: {measure.zone_text(report.target, report.tolerance)}",
        ),
        *_drawn(before, span, "prior", "expected before the first probe, and the band that holds it with 90 %"),
        *_drawn(after, span, "posterior", "believed after the last probe, and the band that holds it with 90 %"),
        Marks(marks=_marks(report)),
    ]
    ends = sorted((float(before.crfs[span][0]), float(before.crfs[span][-1])))
    return Chart(
        x=Axis(low=ends[0], high=ends[1] if ends[1] > ends[0] else ends[0] + 1.0, label="CRF"),
        y=axis,
        description=_description(report),
        layers=layers,
    )


def _span(report: SearchReport, after: Belief, axis: Axis) -> slice:
    """CRFs that are drawn: those at which the curve is within sight and not yet flat, and all that were probed."""
    probed = [probe.crf for probe in report.probes]
    flat = _FLAT_WITHIN_VMAF * report.measure.grain
    if report.measure.higher_is_better:
        wanted = (after.high >= axis.low) & (after.mean <= axis.high - flat)
    else:
        wanted = (after.low <= axis.high) & (after.mean >= axis.low + flat)
    wanted |= (after.crfs >= min(probed)) & (after.crfs <= max(probed))
    places = np.flatnonzero(wanted)
    room = max(1, len(after.crfs) // 30)
    return slice(max(0, int(places[0]) - room), int(places[-1]) + room + 1)


def _drawn(curve: Belief, span: slice, style: str, title: str) -> list[Layer]:
    xs = curve.crfs[span].tolist()
    band = Band(xs=xs, lows=curve.low[span].tolist(), highs=curve.high[span].tolist(), style=style, title=title)
    return [band, Line(xs=xs, ys=curve.mean[span].tolist(), style=style, title=title)]


def _marks(report: SearchReport) -> list[Mark]:
    best, marks = result_probe(report), []
    for place, probe in enumerate(report.probes, 1):
        shape = ("square" if probe.cached else "dot") if probe.purpose == "verify" else ""
        shape = shape or ("hollow-square" if probe.cached else "ring")
        if probe is best:
            shape = "result-square" if probe.cached else "result"
        off = f" ± {probe.deviation:.1f}" if probe.deviation else ""
        marks.append(
            Mark(
                x=probe.crf,
                y=probe.score,
                style="best" if probe is best else "probe",
                title=f"{place}: CRF {number(probe.crf)}, {report.measure.text(probe.score)}{off}, {how(probe)}",
                label=f"{place}: CRF {number(probe.crf)}" if probe is best else str(place),
                shape=shape,
            )
        )
    return sorted(marks, key=lambda mark: mark.style != "best")  # the result's word is placed first


def _description(report: SearchReport) -> str:
    probes = "; ".join(
        f"{place}, CRF {number(probe.crf)}: {report.measure.text(probe.score)}, {how(probe)}"
        for place, probe in enumerate(report.probes, 1)
    )
    zone = report.measure.zone_text(report.target, report.tolerance)
    what = f"{report.measure.title} over CRF: the curve before and after the probes"
    return f"{what}, the target zone {zone}, and the probes. {probes}."

"""The curve of a search as it is drawn: what every figure of it shows, whoever draws it, and the chart of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.records import ProbeRecord
from vmaftune.encoders.spec import number
from vmaftune.jobs.search_report import SearchReport, result_probe
from vmaftune.report.scale import Axis
from vmaftune.report.svg import Band, Chart, Layer, Line, Mark, Marks, Zone

BAND = 1.645
"""Deviations to either side within which 90 % of a normal distribution lie."""

_SHOWN_BELOW_VMAF = 10.0
_FLAT_FROM_VMAF = 98.0


@dataclass(frozen=True, kw_only=True)
class Belief:
    """A curve with its 90 % band, each of shape (n,), within 0 to 100 VMAF."""

    crfs: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


def belief(crfs: Sequence[float], mean: Sequence[float], deviation: Sequence[float]) -> Belief:
    """What is drawn of a mean and its standard deviation, in VMAF."""
    middle, reach = np.array(mean), BAND * np.array(deviation)
    low, middle, high = (np.clip(line, 0.0, 100.0) for line in (middle - reach, middle, middle + reach))
    return Belief(crfs=np.array(crfs), mean=middle, low=low, high=high)


def prior(report: SearchReport) -> Belief:
    """What was expected before the first probe."""
    return belief(report.curve.crfs, report.curve.prior_mean, report.curve.prior_deviation)


def posterior(report: SearchReport) -> Belief:
    """What is believed after the last."""
    return belief(report.curve.crfs, report.curve.posterior_mean, report.curve.posterior_deviation)


def lowest_shown(report: SearchReport) -> float:
    """VMAF at which figures end below: what lies under it was of no concern to the search."""
    lowest = min(report.target, *(probe.score for probe in report.probes))
    return max(0.0, 5.0 * math.floor((lowest - _SHOWN_BELOW_VMAF) / 5.0))


def how(probe: ProbeRecord) -> str:
    """How the score of a probe came about."""
    kind = "verified" if probe.purpose == "verify" else "explored"
    return f"{kind}, from the cache" if probe.cached else kind


def chart(report: SearchReport) -> Chart:
    """The chart of the page."""
    before, after, low = prior(report), posterior(report), lowest_shown(report)
    span = _span(report, after, low)
    layers: list[Layer] = [
        Zone(
            low=report.target,
            high=report.target + report.tolerance,
            style="zone",
            title=f"target: VMAF {report.target:g} to {report.target + report.tolerance:g}",
        ),
        *_drawn(before, span, "prior", "expected before the first probe, and the band that holds it with 90 %"),
        *_drawn(after, span, "posterior", "believed after the last probe, and the band that holds it with 90 %"),
        Marks(marks=_marks(report)),
    ]
    ends = sorted((float(before.crfs[span][0]), float(before.crfs[span][-1])))
    return Chart(
        x=Axis(low=ends[0], high=ends[1] if ends[1] > ends[0] else ends[0] + 1.0, label="CRF"),
        y=Axis(low=low, high=100.0, label="VMAF"),
        description=_description(report),
        layers=layers,
    )


def _span(report: SearchReport, after: Belief, low: float) -> slice:
    """CRFs that are drawn: those at which the curve is within sight and not yet flat, and all that were probed."""
    probed = [probe.crf for probe in report.probes]
    wanted = (after.high >= low) & (after.mean <= _FLAT_FROM_VMAF)
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
                title=f"{place}: CRF {number(probe.crf)}, VMAF {probe.score:.2f}{off}, {how(probe)}",
                label=f"{place}: CRF {number(probe.crf)}" if probe is best else str(place),
                shape=shape,
            )
        )
    return sorted(marks, key=lambda mark: mark.style != "best")  # the result's word is placed first


def _description(report: SearchReport) -> str:
    probes = "; ".join(
        f"{place}, CRF {number(probe.crf)}: VMAF {probe.score:.2f}, {how(probe)}"
        for place, probe in enumerate(report.probes, 1)
    )
    zone = f"VMAF {report.target:g} to {report.target + report.tolerance:g}"
    return f"VMAF over CRF: the curve before and after the probes, the target zone {zone}, and the probes. {probes}."

"""Figures: the curve as it was predicted and as it is known after the probes."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmaftune.errors import UserError
from vmaftune.extras import install_command
from vmaftune.jobs.predict import PredictReport
from vmaftune.jobs.rates import RatePoint
from vmaftune.jobs.search_report import SearchReport
from vmaftune.quality.measure import Measure
from vmaftune.report.curve import belief, worst_shown
from vmaftune.state.output import check_output, write_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FORMATS = (".png", ".svg", ".pdf")
_PRIOR, _POSTERIOR, _PROBE = "#9aa5b1", "#1f6feb", "#d1242f"


def check_figure(file: Path | None, option: str = "--plot") -> None:
    """Raise UserError unless a figure can be drawn to ``file``; to be asked before the work that it shows.

    Args:
        option: that named the file, for errors.
    """
    if file is None:
        return
    if file.suffix not in _FORMATS:
        raise UserError(f"{option} {file}: name a file that ends in {', '.join(_FORMATS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise UserError(f"{option} needs matplotlib: {install_command('plot')}")
    check_output(file, option)


def plot_search(report: SearchReport, file: Path) -> None:
    """Draw prior, posterior and probes of one search.

    Raises:
        UserError: the file cannot be written.
    """
    axes = _axes(report.measure)
    curve = report.curve
    _band(axes, report.measure, curve.crfs, curve.prior_mean, curve.prior_deviation, _PRIOR, "prior, 90 % band")
    _band(
        axes,
        report.measure,
        curve.crfs,
        curve.posterior_mean,
        curve.posterior_deviation,
        _POSTERIOR,
        "after the probes",
    )
    axes.axhspan(
        *report.measure.zone(report.target, report.tolerance), color="#2da44e", alpha=0.35, lw=0, label="target"
    )
    for label, purpose, fill in (("verified", "verify", _PROBE), ("explored", "explore", "none")):
        if probes := [probe for probe in report.probes if probe.purpose == purpose]:
            crfs, scores = [probe.crf for probe in probes], [probe.score for probe in probes]
            axes.plot(crfs, scores, "o", color=_PROBE, mfc=fill, ms=6, label=label)
    for number, probe in enumerate(report.probes, 1):
        axes.annotate(str(number), (probe.crf, probe.score), textcoords="offset points", xytext=(6, 6), color=_PROBE)
    _end_at(axes, report.measure, worst_shown(report))
    axes.set_title(
        f"{report.encoder} preset {report.preset or 'none'}: CRF {report.crf:g} has {report.measure.text(report.score)}",
        loc="left",
        fontsize=10,
    )
    _save(axes, report.measure, file)


def plot_prediction(report: PredictReport, title: str, file: Path) -> None:
    """Draw a predicted curve with its band. Raises as plot_search."""
    axes = _axes(report.measure)
    _band(axes, report.measure, report.crfs, report.score, report.deviation, _POSTERIOR, "predicted, 90 % band")
    axes.set_title(title, loc="left", fontsize=10)
    _save(axes, report.measure, file)


def plot_rates(
    curves: Mapping[str, Sequence[RatePoint]],
    measure: Measure,
    title: str,
    file: Path,
    chosen: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw the score over bitrate, a line for each name, with the chosen points ringed. Raises as plot_search."""
    axes = _axes(measure)
    for name, points in curves.items():
        axes.plot([p.bitrate_kbps for p in points], [p.score for p in points], "o-", ms=4, lw=1.5, label=name)
    if chosen:
        axes.plot([x for x, _ in chosen], [y for _, y in chosen], "o", ms=11, mfc="none", color=_PROBE, label="rung")
    axes.set_xscale("log")
    axes.set_xlabel("kb/s")
    axes.set_title(title, loc="left", fontsize=10)
    _save(axes, measure, file, "lower right")


def _axes(measure: Measure) -> Axes:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7.5, 4.5), dpi=120, layout="constrained").add_subplot()
    axes.set_xlabel("CRF")
    axes.set_ylabel(measure.label)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def _band(
    axes: Axes,
    measure: Measure,
    crfs: list[float],
    mean: list[float],
    deviation: list[float],
    colour: str,
    label: str,
) -> None:
    drawn = belief(measure, crfs, mean, deviation)
    axes.fill_between(drawn.crfs, drawn.low, drawn.high, color=colour, alpha=0.2, lw=0)
    axes.plot(drawn.crfs, drawn.mean, color=colour, lw=1.8, label=label)


def _end_at(axes: Axes, measure: Measure, worst: float) -> None:
    """What is worse than that is not drawn."""
    if measure.higher_is_better:
        axes.set_ylim(bottom=worst)
    else:
        axes.set_ylim(top=worst)


def _save(axes: Axes, measure: Measure, file: Path, place: str = "lower left") -> None:
    axes.set_ylim(top=min(measure.highest + 0.5 * measure.grain, axes.get_ylim()[1]))
    axes.legend(frameon=False, loc=place)
    write_figure(axes.figure, file)


def write_figure(figure: Any, file: Path, option: str = "--plot") -> None:
    """Write a matplotlib figure whole. Raises: as vmaftune.state.output.write_output."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format=file.suffix.removeprefix("."))
    write_output(file, drawn.getvalue(), option)

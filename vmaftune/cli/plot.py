"""Figures: the curve as it was predicted and as it is known after the probes."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmaftune.errors import UserError
from vmaftune.extras import install_command
from vmaftune.jobs.rates import RatePoint
from vmaftune.jobs.search_report import SearchReport
from vmaftune.report.curve import belief, lowest_shown
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
    axes = _axes()
    curve = report.curve
    _band(axes, curve.crfs, curve.prior_mean, curve.prior_deviation, _PRIOR, "prior, 90 % band")
    _band(axes, curve.crfs, curve.posterior_mean, curve.posterior_deviation, _POSTERIOR, "after the probes")
    axes.axhspan(report.target, report.target + report.tolerance, color="#2da44e", alpha=0.35, lw=0, label="target")
    for label, purpose, fill in (("verified", "verify", _PROBE), ("explored", "explore", "none")):
        if probes := [probe for probe in report.probes if probe.purpose == purpose]:
            crfs, scores = [probe.crf for probe in probes], [probe.score for probe in probes]
            axes.plot(crfs, scores, "o", color=_PROBE, mfc=fill, ms=6, label=label)
    for number, probe in enumerate(report.probes, 1):
        axes.annotate(str(number), (probe.crf, probe.score), textcoords="offset points", xytext=(6, 6), color=_PROBE)
    axes.set_ylim(bottom=lowest_shown(report))
    axes.set_title(
        f"{report.encoder} preset {report.preset or 'none'}: CRF {report.crf:g} has VMAF {report.vmaf:.2f}",
        loc="left",
        fontsize=10,
    )
    _save(axes, file)


def plot_prediction(crfs: list[float], mean: list[float], deviation: list[float], title: str, file: Path) -> None:
    """Draw a predicted curve with its band. Raises as plot_search."""
    axes = _axes()
    _band(axes, crfs, mean, deviation, _POSTERIOR, "predicted, 90 % band")
    axes.set_title(title, loc="left", fontsize=10)
    _save(axes, file)


def plot_rates(
    curves: Mapping[str, Sequence[RatePoint]],
    title: str,
    file: Path,
    chosen: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw VMAF over bitrate, a line for each name, with the chosen points ringed. Raises as plot_search."""
    axes = _axes()
    for name, points in curves.items():
        axes.plot([p.bitrate_kbps for p in points], [p.vmaf for p in points], "o-", ms=4, lw=1.5, label=name)
    if chosen:
        axes.plot([x for x, _ in chosen], [y for _, y in chosen], "o", ms=11, mfc="none", color=_PROBE, label="rung")
    axes.set_xscale("log")
    axes.set_xlabel("kb/s")
    axes.set_title(title, loc="left", fontsize=10)
    _save(axes, file, "lower right")


def _axes() -> Axes:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7.5, 4.5), dpi=120, layout="constrained").add_subplot()
    axes.set_xlabel("CRF")
    axes.set_ylabel("VMAF")
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def _band(axes: Axes, crfs: list[float], mean: list[float], deviation: list[float], colour: str, label: str) -> None:
    drawn = belief(crfs, mean, deviation)
    axes.fill_between(drawn.crfs, drawn.low, drawn.high, color=colour, alpha=0.2, lw=0)
    axes.plot(drawn.crfs, drawn.mean, color=colour, lw=1.8, label=label)


def _save(axes: Axes, file: Path, place: str = "lower left") -> None:
    axes.set_ylim(top=min(100.5, axes.get_ylim()[1]))
    axes.legend(frameon=False, loc=place)
    write_figure(axes.figure, file)


def write_figure(figure: Any, file: Path, option: str = "--plot") -> None:
    """Write a matplotlib figure whole. Raises: as vmaftune.state.output.write_output."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format=file.suffix.removeprefix("."))
    write_output(file, drawn.getvalue(), option)

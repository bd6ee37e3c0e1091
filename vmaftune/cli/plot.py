"""Figures: the curve as it was predicted and as it is known after the probes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmaftune.errors import UserError
from vmaftune.jobs.search_report import SearchReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FORMATS = (".png", ".svg", ".pdf")
_SHOWN_BELOW_VMAF = 20.0
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
        raise UserError(f"{option} needs matplotlib: pip install 'vmaf-tune[plot]'")
    there = file.exists()
    try:
        file.open("ab").close()
    except OSError as error:
        raise UserError(f"cannot write {option} {file}: {error.strerror}") from error
    if not there:
        file.unlink(missing_ok=True)


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
            crfs, scores = [probe.crf for probe in probes], [probe.vmaf for probe in probes]
            axes.plot(crfs, scores, "o", color=_PROBE, mfc=fill, ms=6, label=label)
    for number, probe in enumerate(report.probes, 1):
        axes.annotate(str(number), (probe.crf, probe.vmaf), textcoords="offset points", xytext=(6, 6), color=_PROBE)
    lowest = min(report.target, *(probe.vmaf for probe in report.probes))
    axes.set_ylim(bottom=max(0.0, lowest - _SHOWN_BELOW_VMAF))
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
    reach = 1.645  # of a normal distribution, 90 % lie within so many deviations
    low = [max(0.0, m - reach * d) for m, d in zip(mean, deviation, strict=True)]
    high = [min(100.0, m + reach * d) for m, d in zip(mean, deviation, strict=True)]
    axes.fill_between(crfs, low, high, color=colour, alpha=0.2, lw=0)
    axes.plot(crfs, [min(100.0, max(0.0, m)) for m in mean], color=colour, lw=1.8, label=label)


def _save(axes: Axes, file: Path) -> None:
    axes.set_ylim(top=min(100.5, axes.get_ylim()[1]))
    axes.legend(frameon=False, loc="lower left")
    figure: Any = axes.figure
    try:
        figure.savefig(file)
    except OSError as error:
        raise UserError(f"cannot write --plot {file}: {error.strerror}") from error

"""The figure of residuals: a point for each capture before and after correction, and the rolling rms as a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vmaftune.cli.plot import write_figure
from vmaftune.contract.curves import FloatArray
from vmaftune.contract.inspection import LearnedCapture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# On no background of its own, in colours that a white page and a dark one both show.
_INK, _BEFORE, _AFTER = "#7d8590", "#d9822b", "#3b82f6"
_WINDOW = 25
_LEAST_SHOWN = 1.0


def draw_residuals(panels: Mapping[tuple[str, str], Sequence[LearnedCapture]], title: str, file: Path) -> None:
    """Draw a panel for each encoder and scale.

    Args:
        panels: captures by what they are of and the unit of their scores, oldest first.

    Raises: as write_figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 1.0 + 2.6 * len(panels)), dpi=120, layout="constrained", facecolor="none")
    every = figure.subplots(len(panels), squeeze=False)[:, 0]
    for axes, ((what, unit), captures) in zip(every, panels.items(), strict=True):
        _panel(axes, captures, unit)
        axes.set_title(f"{what}, last {len(captures)} captures", loc="left", fontsize=9, color=_INK)
    every[-1].set_xlabel(f"capture (point); the line is the rms of the last {_WINDOW}", color=_INK, fontsize=9)
    every[0].legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, fontsize=8, labelcolor=_INK)
    figure.align_ylabels(every)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, color=_INK)
    write_figure(figure, file, "plot")


def _panel(axes: Axes, captures: Sequence[LearnedCapture], unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    at = np.arange(1, len(captures) + 1)
    sane = np.array([not capture.absurd for capture in captures])
    before = np.array([capture.residual for capture in captures])
    after = np.array([capture.left for capture in captures])
    known = np.abs(np.concatenate([before[sane], after[sane]]))
    reach = 1.1 * max(_LEAST_SHOWN, float(known.max(initial=0.0)))
    for values, colour, name, order in ((before, _BEFORE, "before", 1), (after, _AFTER, "after", 2)):
        rms = rolling_rms(np.where(sane, values, 0.0), sane)
        axes.fill_between(at, -rms, rms, color=colour, alpha=0.16, lw=0, zorder=order)
        axes.plot(at, rms, color=colour, lw=1.6, zorder=order + 2)
        axes.plot(at, -rms, color=colour, lw=1.6, zorder=order + 2)
        axes.plot(at[sane], values[sane], "o", color=colour, ms=2.6, mew=0, alpha=0.75, zorder=order + 4)
        axes.plot([], [], "o-", color=colour, ms=4, mew=0, lw=1.6, label=name)
    if not sane.all():
        edge = 0.97 * reach * np.sign(before[~sane])
        axes.plot(at[~sane], edge, "x", color=_INK, ms=4, zorder=7, label="counts for nothing")
    axes.set(ylim=(-reach, reach), xlim=(0.5, len(captures) + 0.5))
    axes.set_ylabel(f"observed - expected, {unit}", color=_INK, fontsize=9)
    axes.axhline(0.0, color=_INK, lw=0.8, zorder=0)
    axes.grid(color=_INK, alpha=0.2)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.set_facecolor("none")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for side, spine in axes.spines.items():
        spine.set_color(_INK)
        spine.set_visible(side in ("left", "bottom"))


def rolling_rms(values: FloatArray, counted: FloatArray) -> FloatArray:
    """Root mean square over the last captures at each one, shape as ``values``; ``counted`` says which take part."""
    kernel = np.ones(_WINDOW)
    squares = np.convolve(values**2, kernel)[: len(values)]
    return np.sqrt(squares / np.maximum(np.convolve(counted, kernel)[: len(values)], 1.0))

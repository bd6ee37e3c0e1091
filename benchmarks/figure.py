"""The benchmark as a figure: wall time and probes of each method, for each encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from summary import BISECTION, RULE, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    "cold": "#1f6feb",
    "warm": "#0a3069",
    "population": "#54aeff",
    "no-explore": "#b6e3ff",
    BISECTION: "#d0d7de",
    RULE: "#6e7781",
}
_WIDTH = 0.8  # of a group of bars; 1 is from one group to the next


def draw(found: Sequence[Row], files: Sequence[Path]) -> None:
    """Two panels; exploring probes are stacked, hatched, on the verifying ones.

    Args:
        found: a row for each method and encoder; a group for each encoder.
    """
    groups, methods = (list(dict.fromkeys(names)) for names in zip(*((r.group, r.method) for r in found), strict=True))
    figure = Figure(figsize=(max(9.0, 4.0 + 2.6 * len(groups)), 6.4), dpi=120, layout="constrained")
    above, below = figure.subplots(2, 1)
    bar = _WIDTH / len(methods)
    for index, method in enumerate(methods):
        mine = [row for row in found if row.method == method]
        at = np.array([groups.index(row.group) for row in mine]) + (index + 0.5) * bar - _WIDTH / 2
        colour, explored = _COLOURS[method], [row.explored for row in mine]
        verified, times = [row.verified for row in mine], [row.to_rule for row in mine]
        _labelled(above, above.bar(at, times, bar * 0.92, color=colour, label=method), times)
        bars = below.bar(at, verified, bar * 0.92, color=colour)
        if any(explored):
            bars = below.bar(at, explored, bar * 0.92, bottom=verified, color="white", edgecolor=colour, hatch="////")
        _labelled(below, bars, verified)
    above.axhline(1.0, color="#24292f", lw=0.8, ls=":")
    above.set_title("wall time of a search, features included; ab-av1's rule is 1", loc="left", fontsize=10)
    below.set_title("verifying probes a search (number); hatched: exploring ones on top", loc="left", fontsize=10)
    for axes in (above, below):
        axes.set_xticks(range(len(groups)), groups)
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="y", alpha=0.25)
        axes.set_axisbelow(True)
        axes.margins(y=0.12)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(methods), frameon=False, fontsize=9)
    with rc_context({"svg.hashsalt": "vmaf-tune"}):
        for file in files:
            figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {"Software": None})


def _labelled(axes: Axes, bars: object, values: Sequence[float]) -> None:
    labels = ["" if np.isnan(value) else f"{value:.2f}" for value in values]
    axes.bar_label(bars, labels, padding=2, fontsize=8)

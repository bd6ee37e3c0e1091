"""Figures of a predictor on held-out sources: predicted against true, calibration, error by region of VMAF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vmaftune.training.panels import png, three_panels
from vmaftune.training.predictor import TrainedPredictor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#1f6feb", "#d1242f", "#2da44e", "#8250df", "#bf8700", "#57606a", "#1b7c83", "#953800")
_SHOWN_FROM_VMAF = 50.0
_LEVELS = np.linspace(0.05, 0.95, 19)
_REGIONS = ((50, 70), (70, 80), (80, 85), (85, 90), (90, 94), (94, 98), (98, 100))


def held_out_figure(predictor: TrainedPredictor) -> bytes:
    """Three panels as PNG; the same figures give the same picture.

    Raises:
        ImportError: matplotlib is missing.
    """
    figure, panels = three_panels("held-out sources (leave-one-source-out)")
    _predicted(panels[0], predictor)
    _calibration(panels[1], predictor)
    _regions(panels[2], predictor)
    return png(figure)


def _predicted(axes: Axes, predictor: TrainedPredictor) -> None:
    table = predictor.table
    lines, knots = table.measured.nonzero()
    # In no order, so that the encoder drawn last does not hide the others.
    mixed = np.random.default_rng(0).permutation(len(lines))
    lines, knots = lines[mixed], knots[mixed]
    colours = [_COLOURS[place % len(_COLOURS)] for place in table.which[lines]]
    axes.scatter(table.vmaf[lines, knots], predictor.mean[lines, knots], s=2, alpha=0.4, linewidths=0, c=colours)
    for place, curve in enumerate(table.curves):
        axes.plot([], [], "o", ms=5, color=_COLOURS[place % len(_COLOURS)], label=curve.name)
    axes.plot([_SHOWN_FROM_VMAF, 100], [_SHOWN_FROM_VMAF, 100], color="#24292f", lw=0.8)
    axes.set(
        xlim=(_SHOWN_FROM_VMAF, 100.5), ylim=(_SHOWN_FROM_VMAF, 100.5), xlabel="true VMAF", ylabel="predicted VMAF"
    )
    axes.legend(edgecolor="none", framealpha=0.9, fontsize=8, loc="lower right")


def _calibration(axes: Axes, predictor: TrainedPredictor) -> None:
    from statistics import NormalDist

    table = predictor.table
    inside = table.measured & (table.vmaf >= 80) & (table.vmaf <= 98)
    for place, curve in enumerate(table.curves):
        own = (table.which == place)[:, None] & inside
        standard = np.abs((predictor.mean - table.vmaf) / predictor.deviation)[own]
        if not len(standard):  # none of its curves was measured there
            continue
        covered = [float((standard <= NormalDist().inv_cdf(0.5 + level / 2)).mean()) for level in _LEVELS]
        axes.plot(100 * _LEVELS, 100 * np.array(covered), color=_COLOURS[place % len(_COLOURS)], label=curve.name)
    axes.plot([0, 100], [0, 100], color="#24292f", lw=0.8)
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="interval, %", ylabel="true values inside, % (VMAF 80 to 98)")


def _regions(axes: Axes, predictor: TrainedPredictor) -> None:
    table = predictor.table
    width = 0.8 / len(table.curves)
    for place in range(len(table.curves)):
        heights = []
        for low, high in _REGIONS:
            inside = (table.which == place)[:, None] & table.measured & (table.vmaf >= low) & (table.vmaf < high)
            error = np.abs(predictor.mean - table.vmaf)[inside]
            heights.append(float(error.mean()) if len(error) else 0.0)
        axes.bar(np.arange(len(_REGIONS)) + place * width, heights, width, color=_COLOURS[place % len(_COLOURS)])
    axes.set_xticks(np.arange(len(_REGIONS)) + 0.4 - width / 2, [f"{low}–{high}" for low, high in _REGIONS], fontsize=8)
    axes.set(xlabel="true VMAF", ylabel="mean absolute error, VMAF")
    axes.grid(axis="x", visible=False)

"""What a tiny model says against what it should: frames, errors, sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.tiny.evaluate import EvalReport
from vmaftune.tiny.table import FrameTable
from vmaftune.training.panels import png, three_panels

_COLOUR = "#1f6feb"
_INK = "#24292f"
_MOST_POINTS = 20_000


def scatter_plots(report: EvalReport, table: FrameTable, said: FloatArray) -> bytes:
    """Three panels as PNG; the same figures give the same picture.

    Args:
        table: the frames that the report is of, and ``said`` their scores, VMAF, shape (n,).

    Raises:
        ImportError: matplotlib is missing.
    """
    figure, panels = three_panels(f"{report.model}: {report.split}")
    wanted = table.scores
    shown = np.random.default_rng(0).permutation(len(table))[:_MOST_POINTS]
    dots: dict[str, Any] = {"s": 2, "alpha": 0.3, "linewidths": 0, "color": _COLOUR, "rasterized": True}
    panels[0].scatter(wanted[shown], said[shown], **dots)
    ends = [float(min(wanted.min(), said.min())), float(max(wanted.max(), said.max()))]
    panels[0].plot(ends, ends, color=_INK, lw=0.8)
    panels[0].set(xlabel="target, VMAF", ylabel="tiny model, VMAF", title="frames")
    panels[1].scatter(wanted[shown], (said - wanted)[shown], **dots)
    panels[1].axhline(0.0, color=_INK, lw=0.8)
    panels[1].set(xlabel="target, VMAF", ylabel="error, VMAF", title="errors of frames")
    errors = sorted(source.frame.rmse for source in report.sources)
    panels[2].bar(np.arange(1, len(errors) + 1), errors, color=_COLOUR)
    panels[2].set(xlabel="sources, the best first", ylabel="RMSE, VMAF", title="sources")
    return png(figure)

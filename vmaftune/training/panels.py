"""Three plain panels side by side, and the picture of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def three_panels(title: str) -> tuple[Figure, list[Axes]]:
    """A figure under ``title``, and its panels from left to right.

    Raises:
        ImportError: matplotlib is missing.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 4.4), dpi=110, layout="constrained")
    panels = list(figure.subplots(1, 3))
    for axes in panels:
        axes.grid(alpha=0.25)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.suptitle(title, fontsize=10)
    return figure, panels


def png(figure: Figure) -> bytes:
    """The picture; the same figure gives the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()

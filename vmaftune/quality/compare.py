"""The filter graph that compares two videos by a metric.

Frame pairing decides every number we print. Frames are paired by index: timestamps are dropped on both branches
(``settb=AVTB,setpts=N``), because pairing by timestamp pairs the wrong frames as soon as a container rounds times.
A whole is never scored by some of its frames: the mean of these is not the mean of all. Where a part is scored, and said
to be one, a Selection takes frames from both branches by index, before they are scaled.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.errors import PairingError
from vmaftune.escape import filter_value
from vmaftune.quality.metric import Comparison


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The frames that are read and those of them that are scored, where that is not all.

    A frame gets the score that it has in the whole when the frames beside it are read too, as many as Metric.neighbours says.

    Attributes:
        expression: of ffmpeg's ``select`` filter, true for the frames read; by index (``n``), not by time.
        frames: how many are read.
        every: one of so many that are read is scored, the first one among them.
    """

    expression: str
    frames: int
    every: int

    @property
    def scored(self) -> int:
        """Frames that get a score."""
        return -(-self.frames // self.every)


def graph(
    distorted: str,
    reference: str,
    comparison: Comparison,
    *,
    reference_filter: str | None,
    distorted_filter: str | None = None,
    threads: int,
    log: Path,
    selection: Selection | None = None,
) -> str:
    """The filter graph that compares two streams and writes the metric's log; its output is labelled ``[scored]``.

    Args:
        distorted, reference: stream labels, such as ``dec:0`` and ``0:0``.
        comparison: metric, model, size and format.
        reference_filter: chain that the reference goes through first (what the encode went through too).
        distorted_filter: chain that the distorted video goes through first.
        threads: that the metric may use.
        log: file that the metric writes.
        selection: frames that are read and scored; None scores all.
    """
    chain = [*comparison.metric.conversion(comparison), "settb=AVTB", "setpts=N"]
    if comparison.size is not None:
        chain.insert(0, "scale={}:{}:flags=bicubic".format(*comparison.size))
    if selection is not None:
        chain.insert(0, f"select={filter_value(selection.expression)}")
    common = ",".join(chain)
    before = f"{reference_filter}," if reference_filter else ""
    first = f"{distorted_filter}," if distorted_filter else ""
    every = 1 if selection is None else selection.every
    measured = comparison.metric.filter_text(comparison, log, threads=threads, every=every)
    return (
        f"[{distorted}]{first}{common}[distorted];[{reference}]{before}{common}[reference];"
        f"{inputs(comparison)}{measured}[scored]"
    )


def inputs(comparison: Comparison) -> str:
    """Labels of the two branches in the order in which the metric's filter takes them."""
    return "[reference][distorted]" if comparison.metric.reference_first else "[distorted][reference]"


def check_pairing(scored: int, reference: int, what: str) -> None:
    """Raise PairingError unless as many frames were scored as the reference has."""
    if scored != reference:
        raise PairingError(
            f"{what}: {scored} frames were scored but the source has {reference}, so the score would be of the wrong "
            "pairs; please report this file"
        )

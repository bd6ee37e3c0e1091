"""Amounts as bars in a table: what is drawn is also written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One amount: what it is of, how much, and how that is written."""

    label: str
    value: float
    text: str
    style: str = ""


def bars(rows: Sequence[Bar]) -> list[tuple[Bar, float]]:
    """Each with the percentage of the largest that its bar is long."""
    most = max((row.value for row in rows), default=0.0)
    return [(row, 100.0 * row.value / most if most > 0 else 0.0) for row in rows]

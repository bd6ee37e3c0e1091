"""Tables: what stands in a cell, and what it is sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    Attributes:
        text, small: what is written, and what is written smaller after it.
        key: what it is sorted by; None sorts by its text.
        style: ``reaches`` or ``misses`` colours it.
    """

    text: str
    small: str = ""
    key: float | None = None
    style: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        columns: headings; those that begin with ``<`` are of words, aligned left, those with ``<<`` of words that may wrap.
        rows: cells in the order of the columns; the first names its row.
        best: the row that is the result; None where none is.
        sortable: a click on a heading sorts.
        note: what a person should know of it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    best: int | None = None
    sortable: bool = False
    note: str = ""


def amount(value: float | None, form: str, style: str = "") -> Cell:
    """A number as ``form`` writes it, or a dash; sorted by its value."""
    return Cell(text="–", key=-1.0) if value is None else Cell(text=form.format(value), key=value, style=style)

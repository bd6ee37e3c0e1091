"""What a mistyped name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, to follow what is said of a name that is not known; empty where none is near."""
    near = nearest(name, known)
    return "" if near is None else f"; did you mean {near!r}?"


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The known name that is most like ``name``, whatever its case; None where none is like it.

    Args:
        least: how alike they have to be, 0 to 1 (difflib.SequenceMatcher.ratio).
    """
    folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=least)
    return folded[near[0]] if near else None

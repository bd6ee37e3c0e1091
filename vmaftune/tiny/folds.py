"""Which sources a network is blind to. Frames are never parted at random: those of one source are all too alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.tiny.table import FrameTable

_WATCHED_SHARE = 8


@dataclass(frozen=True)
class Fold:
    """One network's view of a table.

    Attributes:
        left_out: sources that it never sees; none for a network that is fitted on all.
    """

    left_out: tuple[str, ...] = ()

    def seen(self, table: FrameTable) -> np.ndarray:
        """True for frames that it may learn from; bool, shape (n,)."""
        return ~_of(table, self.left_out)

    def held_out(self, table: FrameTable) -> np.ndarray:
        """True for frames that it is judged by; bool, shape (n,)."""
        return _of(table, self.left_out)


def one_source_out(table: FrameTable, source: str) -> tuple[Fold, ...]:
    """One network, blind to ``source``.

    Raises:
        UserError: there is no such source, or no other one to learn from.
    """
    if source not in table.source_names:
        there = ", ".join(map(shown, table.source_names))
        raise UserError(f"--val-source {shown(source)}: no such source in the corpus; there are {there}")
    _check_several(table)
    return (Fold((source,)),)


def leave_one_source_out(table: FrameTable, groups: int | None = None) -> tuple[Fold, ...]:
    """A network for every source, blind to it.

    Args:
        groups: so many networks instead, each blind to a group of sources; every source is in one group.

    Raises:
        UserError: there are fewer sources than that, or only one.
    """
    _check_several(table)
    names = table.source_names
    if groups is None:
        return tuple(Fold((name,)) for name in names)
    if not 2 <= groups <= len(names):
        raise UserError(f"--folds {groups} must be from 2 to the number of sources, which is {len(names)}")
    return tuple(Fold(tuple(names[n::groups])) for n in range(groups))


def watched_sources(names: Sequence[str]) -> tuple[str, ...]:
    """Sources that early stopping watches: every eighth. They are not learned from, nor are they those of any report.

    Raises:
        UserError: there are too few to spare one.
    """
    if len(names) < 3:
        raise UserError("--early-stop watches sources that are not learned from: that takes at least three sources")
    return tuple(sorted(names)[::_WATCHED_SHARE][: len(names) - 2])


def clip_places(table: FrameTable) -> list[np.ndarray]:
    """Places in the table of each clip's frames, in their order."""
    order = np.lexsort((table.frames, table.clips))
    return np.split(order, np.flatnonzero(np.diff(table.clips[order])) + 1) if len(order) else []


def windows(table: FrameTable, neighbours: int) -> np.ndarray:
    """Places in the table of each frame and of the frames beside it in its clip, int64, shape (n, 2 * neighbours + 1).

    Beyond a clip's ends its first and its last frame are repeated.
    """
    order = np.lexsort((table.frames, table.clips))
    clips = table.clips[order]
    begins = np.searchsorted(clips, clips, side="left")
    ends = np.searchsorted(clips, clips, side="right") - 1
    steps = np.arange(-neighbours, neighbours + 1)
    beside = np.clip(np.arange(len(order))[:, None] + steps, begins[:, None], ends[:, None])
    result: np.ndarray = np.empty_like(beside)
    result[order] = order[beside]
    return result


def _of(table: FrameTable, sources: Sequence[str]) -> np.ndarray:
    places = [table.source_names.index(name) for name in sources if name in table.source_names]
    found: np.ndarray = np.isin(table.sources, places)
    return found


def _check_several(table: FrameTable) -> None:
    if len(table.source_names) < 2:
        raise UserError("a source can be left out only where there is another one to learn from")

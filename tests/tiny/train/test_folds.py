"""Splits are by source; windows stay within a clip."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tiny.build import made_table, mixed
from vmaftune.errors import UserError
from vmaftune.tiny.folds import Fold, leave_one_source_out, one_source_out, watched_sources, windows

TABLE = made_table(5, 2, frames=4)


def test_every_source_is_held_out_once_and_whole() -> None:
    folds = leave_one_source_out(TABLE)
    assert [fold.left_out for fold in folds] == [(name,) for name in TABLE.source_names]
    assert (np.sum([fold.held_out(TABLE) for fold in folds], axis=0) == 1).all()
    for fold in folds:
        seen, unseen = TABLE.where(fold.seen(TABLE)), TABLE.where(fold.held_out(TABLE))
        assert not set(seen.source_names) & set(unseen.source_names) and len(seen) + len(unseen) == len(TABLE)


def test_groups_hold_every_source_out_once() -> None:
    folds = leave_one_source_out(TABLE, 2)
    assert sorted(name for fold in folds for name in fold.left_out) == sorted(TABLE.source_names) and len(folds) == 2


def test_a_fold_of_nothing_sees_all() -> None:
    assert Fold().seen(TABLE).all() and not Fold().held_out(TABLE).any()


@pytest.mark.parametrize("groups", [1, 6])
def test_groups_must_be_as_many_as_sources_at_most(groups: int) -> None:
    with pytest.raises(UserError, match=f"--folds {groups} must be from 2 to the number of sources, which is 5"):
        leave_one_source_out(TABLE, groups)


def test_a_source_that_is_not_there_is_one_line() -> None:
    with pytest.raises(UserError, match="--val-source Tennis: no such source in the corpus; there are S0, S1"):
        one_source_out(TABLE, "Tennis")


def test_one_source_alone_cannot_be_left_out() -> None:
    with pytest.raises(UserError, match="only where there is another one"):
        leave_one_source_out(made_table(1))


def test_watched_sources_leave_some_to_learn_from() -> None:
    assert watched_sources([f"s{n:02}" for n in range(20)]) == ("s00", "s08", "s16")
    assert watched_sources(["a", "b", "c"]) == ("a",)
    with pytest.raises(UserError, match="at least three sources"):
        watched_sources(["a", "b"])


def test_windows_repeat_the_ends_of_a_clip() -> None:
    order = np.random.default_rng(1).permutation(len(TABLE))
    table = mixed(TABLE, order)
    beside = windows(table, 2)
    assert (table.clips[beside] == table.clips[:, None]).all()
    wanted = np.clip(table.frames[:, None] + np.arange(-2, 3), 0, 3)
    assert (table.frames[beside] == wanted).all()
    assert (windows(table, 0)[:, 0] == np.arange(len(table))).all()

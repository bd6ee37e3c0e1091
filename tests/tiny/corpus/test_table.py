"""The table of frames: by source, checked, and as a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tiny.corpus.test_load import same
from vmaftune.errors import UserError
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.tiny.table import FrameTable
from vmaftune.tiny.tablefile import read_table, write_table


@pytest.fixture
def table() -> FrameTable:
    random = np.random.default_rng(5)
    return FrameTable(
        features=np.round(random.random((12, 6)), 6),
        scores=np.round(100 * random.random(12), 6),
        clips=np.repeat(np.arange(4), 3),
        clip_names=("a1", "a2", "b1", "ć1"),
        sources=np.repeat(np.array([0, 1, 2]), (6, 3, 3)),
        source_names=("a", "b", "ć"),
        frames=np.tile(np.arange(3), 4),
    )


def test_sources_are_parted(table: FrameTable) -> None:
    rest, only = table.without_source("a"), table.only_source("a")
    assert (rest.source_names, rest.clip_names) == (("b", "ć"), ("b1", "ć1"))
    assert (only.source_names, only.clip_names) == (("a",), ("a1", "a2"))
    assert len(rest) + len(only) == len(table)
    assert np.array_equal(rest.scores, table.scores[6:]) and rest.sources.tolist() == [0] * 3 + [1] * 3
    with pytest.raises(UserError, match="no source z in the corpus; there are a, b, ć"):
        table.without_source("z")


def test_a_value_that_is_no_number_names_its_clip(table: FrameTable) -> None:
    features = table.features.copy()
    features[7, CANONICAL_6.index("vif_scale2")] = np.nan
    with pytest.raises(UserError, match=r"b1, frame 1: vif_scale2 is not a finite number \(1 such frames"):
        replace(table, features=features)
    with pytest.raises(UserError, match="a1, frame 0: score is not a finite number"):
        replace(table, scores=np.full(12, np.inf))


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": np.zeros((12, 5))},
        {"scores": np.zeros(11)},
        {"clips": np.zeros(12)},
        {"clips": np.full(12, 4)},
        {"source_names": ("a", "a", "b")},
    ],
)
def test_shapes_are_checked(table: FrameTable, wrong: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError):
        replace(table, **wrong)


def test_a_file_keeps_all_of_it(table: FrameTable, tmp_path: Path) -> None:
    write_table(table, tmp_path / "one.npz")
    write_table(table, tmp_path / "two.npz")
    assert same(table, read_table(tmp_path / "one.npz"))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04rubbish", None])
def test_what_is_no_table(table: FrameTable, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "table.npz"
    write_table(table, path)
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    with pytest.raises(UserError, match="is no table of frames"):
        read_table(path)
    with pytest.raises(UserError, match="cannot open"):
        read_table(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(UserError, match="is no table of frames"):
        read_table(tmp_path / "other.npz")

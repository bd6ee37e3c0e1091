"""The temporary folder of a run: private, gone at its end, and swept when its owner is."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from vmaftune.errors import VmafTuneError
from vmaftune.state.workspace import workspace


def test_it_goes_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), workspace(tmp_path) as folder:
        (folder / "file").touch()
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_living_run_keeps_its_own(tmp_path: Path) -> None:
    with workspace(tmp_path) as first, workspace(tmp_path) as second:
        assert first != second and first.is_dir() and second.is_dir()


def _make_many(parent: Path) -> int:
    made = 0
    for _ in range(100):
        with workspace(parent) as folder:
            (folder / "file").touch()
            made += 1
    return made


def test_runs_that_begin_at_once_do_not_sweep_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        assert list(pool.map(_make_many, [tmp_path] * 3)) == [100] * 3
    assert not list(tmp_path.iterdir())


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "vmaf-tune-notes").mkdir()
    (tmp_path / "film").mkdir()
    with workspace(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film", "vmaf-tune-notes"]


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(VmafTuneError, match="cannot make a temporary folder"), workspace(tmp_path / "none"):
        pass

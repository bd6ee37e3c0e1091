"""A fingerprint is of the content alone, and of all of it; what was hashed once is not hashed again without need."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmaftune.media import fingerprint as module
from vmaftune.media.fingerprint import fingerprint
from vmaftune.state.store import Store

_MIB = 2**20
_SIZE = 20 * _MIB


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache.sqlite")


@pytest.fixture(params=["small", "large"])
def film(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """20 MiB of zeros, hashed in blocks, an hour old; below and above the size up to which everything is hashed at once."""
    if request.param == "large":
        monkeypatch.setattr(module, "_ALL_AT_ONCE_BYTES", 17 * _MIB)
    path = tmp_path / "film.mkv"
    with path.open("wb") as file:
        file.truncate(_SIZE)
    return _aged(path, 3600)


def _aged(path: Path, seconds: float) -> Path:
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then))
    return path


def _change_between_the_blocks(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(module._BLOCK_BYTES + 10)
        file.write(b"another film" * 1000)


@pytest.fixture
def whole_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of which everything was hashed."""
    read: list[Path] = []
    hashed = module._hashed

    def counting(path: Path, size: int, *, everything: bool) -> str:
        if everything:
            read.append(path)
        return hashed(path, size, everything=everything)

    monkeypatch.setattr(module, "_hashed", counting)
    return read


def test_what_is_changed_between_the_blocks_is_another_film(film: Path, store: Store) -> None:
    before = fingerprint(film, store)
    _change_between_the_blocks(film)
    assert fingerprint(film, store) != before, "just changed"
    _aged(film, 60)
    assert fingerprint(film, store) != before, "with the time of its change"


def test_a_small_film_whose_time_was_set_back_is_another_one(tmp_path: Path, store: Store) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(bytes(_SIZE))
    status = _aged(film, 3600).stat()
    before = fingerprint(film, store)
    _change_between_the_blocks(film)
    os.utime(film, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprint(film, store) != before


def test_it_is_hashed_once(film: Path, store: Store, whole_reads: list[Path]) -> None:
    first = fingerprint(film, store)
    assert [fingerprint(film, store) for _ in range(4)] == [first] * 4
    assert len(whole_reads) <= 1


def test_renamed_copied_and_touched_it_is_the_same(film: Path, store: Store) -> None:
    film = _aged(film, 1800)
    known = fingerprint(film, store)
    moved = film.rename(film.with_name("moved.mkv"))
    assert fingerprint(moved, store) == known
    copy = Path(shutil.copy2(moved, film))
    assert fingerprint(copy, store) == known
    touched = fingerprint(_aged(copy, 600), store)
    assert touched == fingerprint(_aged(copy, 500), store) == fingerprint(_aged(copy, 0), store)
    if _SIZE <= module._ALL_AT_ONCE_BYTES:  # a larger one was never hashed whole before its time changed
        assert touched == known


def test_a_large_one_is_not_read_to_its_end_at_first(
    tmp_path: Path, store: Store, whole_reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ALL_AT_ONCE_BYTES", 17 * _MIB)
    path = tmp_path / "film.mkv"
    path.write_bytes(bytes(_SIZE))
    _aged(path, 3600)
    first = fingerprint(path, store)
    assert fingerprint(path, store) == first and whole_reads == []
    _aged(path, 60)
    second = fingerprint(path, store)
    assert fingerprint(path, store) == second and len(whole_reads) == 1


def test_one_that_was_just_written_to_is_hashed_whole(film: Path, store: Store, whole_reads: list[Path]) -> None:
    """Written to again at once, it might keep its time."""
    now = time.time_ns()
    os.utime(film, ns=(now, now))
    before = fingerprint(film, store)
    _change_between_the_blocks(film)
    os.utime(film, ns=(now, now))
    assert fingerprint(film, store) != before and len(whole_reads) == 2


def test_name_and_date_do_not_matter(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.mp4"):
        (tmp_path / name).write_bytes(b"the same film")
    _aged(tmp_path / "a.mkv", 1e9)
    assert fingerprint(tmp_path / "a.mkv", Store(None)) == fingerprint(tmp_path / "b.mp4", Store(None))


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=2000), st.data())
def test_any_byte_of_a_small_file_matters(tmp_path_factory, content: bytes, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    path, store = tmp_path_factory.mktemp("film") / "film", Store(None)
    path.write_bytes(content)
    before = fingerprint(path, store)
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert fingerprint(path, store) != before

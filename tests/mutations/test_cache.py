"""The cache, whatever became of its bytes: what was put is there, or nothing is; never another record, never an error."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.mutations import mutated
from vmaftune.contract.features import NAMES, SCHEMA_VERSION, Features
from vmaftune.crf_search.prober import _CachedProbe
from vmaftune.features.measure import Measured
from vmaftune.ffmpeg.locate import Abilities
from vmaftune.shots.detect import Frames
from vmaftune.state.store import Store

RECORDS = {
    "probe": _CachedProbe(frame_scores_micro=bytes(48), encoded_bytes=1, encode_seconds=1.0, score_seconds=0.0),
    "features": Measured(
        features=Features(schema=SCHEMA_VERSION, values=(1.5,) * len(NAMES)), frames=(12,), feature_seconds=0.1
    ),
    "program": Abilities(version="9", encoders=frozenset({"libx264", "libx265"}), libvmaf=True, loopback=True),
    "shots": Frames(ticks_bytes=bytes(16), checksums_bytes=bytes(8), scores_bytes=bytes(8)),
    "source": "0123456789abcdef",
}


def _filled(file: Path) -> Store:
    store = Store(file)
    for kind, record in RECORDS.items():
        store.put(kind, "key", record, part=28.0)
    return store


def _check(store: Store) -> None:
    store.counts()
    for kind, record in RECORDS.items():
        assert store.get(kind, "key", type(record), part=28.0) in (None, record)
        assert store.family(kind, "key", type(record)) in ({}, {28.0: record})


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record(kind: str, tmp_path: Path) -> None:
    store, record = _filled(tmp_path / "cache.sqlite"), RECORDS[kind]
    select = "SELECT record FROM entries WHERE kind = ?"
    (whole,) = store._database.execute(select, (kind,)).fetchone()
    for content in mutated(whole, 100):
        store._database.execute("UPDATE entries SET record = ? WHERE kind = ?", (content, kind))
        found = store.get(kind, "key", type(record), part=28.0)
        assert (found == record) if content == whole else (found is None)
    assert store.problem is None


@pytest.mark.parametrize("cell", [b"", "text", 3, 2.5, b"\xff\xff", "\ud800".encode("utf-8", "surrogatepass")])
@pytest.mark.parametrize("column", ["kind", "key", "part", "record", "saved"])
def test_a_cell_of_another_type(cell: object, column: str, tmp_path: Path) -> None:
    store = _filled(tmp_path / "cache.sqlite")
    store._database.execute(f"UPDATE OR REPLACE entries SET {column} = ?", (cell,))
    _check(store)


def test_a_record_in_anothers_place_is_none(tmp_path: Path) -> None:
    store = _filled(tmp_path / "cache.sqlite")
    store._database.execute("UPDATE entries SET part = 30.0 WHERE kind = 'probe'")
    assert store.family("probe", "key", _CachedProbe) == {}


def test_the_file(tmp_path: Path) -> None:
    """Each is set aside or read on; the next record is kept in either case."""
    _filled(tmp_path / "whole.sqlite").close()
    whole = (tmp_path / "whole.sqlite").read_bytes()
    told: list[str] = []
    for number, content in enumerate(mutated(whole, 60)):
        file = tmp_path / f"{number}.sqlite"
        file.write_bytes(content)
        with contextlib.closing(Store(file, told.append)) as store:
            _check(store)
            store.put("probe", "next", RECORDS["probe"])
            assert store.get("probe", "next", _CachedProbe) == RECORDS["probe"]
    assert all("\n" not in line for line in told)


def test_a_database_of_somebody_else_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "cache.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE entries (kind TEXT)")
        database.execute("PRAGMA user_version = 1")
    told: list[str] = []
    store = Store(file, told.append)
    _check(store)
    store.put("probe", "next", RECORDS["probe"])
    assert store.lasting and len(told) == 1 and "set aside" in told[0]

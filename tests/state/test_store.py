"""The cache keeps records, and never stops a run."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from vmaftune.state.store import Store


class Old(msgspec.Struct):
    number: int


class New(msgspec.Struct):
    number: int
    needed: str


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "cache.sqlite"


def test_a_record_is_there_again_when_the_file_is_opened_again(file: Path) -> None:
    Store(file).put("kind", "key", Old(number=3))
    again = Store(file)
    assert again.get("kind", "key", Old) == Old(number=3) and again.problem is None and again.lasting
    assert again.get("kind", "other", Old) is None and again.get("other", "key", Old) is None


def test_a_family_comes_in_rising_order_and_the_last_record_counts(file: Path) -> None:
    store = Store(file)
    for part in (30.0, 20.5, 25.0, 20.5):
        store.put("probe", "curve", Old(number=int(part)), part=part)
    assert list(store.family("probe", "curve", Old)) == [20.5, 25.0, 30.0]
    assert store.counts() == {"probe": 3}


def test_a_record_of_another_shape_is_no_record(file: Path) -> None:
    store = Store(file)
    store.put("kind", "key", Old(number=3))
    assert store.get("kind", "key", New) is None
    assert store.family("kind", "key", New) == {}


def test_clear_forgets_everything(file: Path) -> None:
    store = Store(file)
    for number in range(5):
        store.put("kind", str(number), Old(number=number))
    assert store.clear() == 5 and store.counts() == {}


def test_without_a_file_records_last_for_the_run() -> None:
    store = Store(None)
    store.put("kind", "key", Old(number=3))
    assert store.get("kind", "key", Old) == Old(number=3) and not store.lasting


def test_a_file_that_cannot_be_opened_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    told: list[str] = []
    store = Store(tmp_path / "file" / "cache.sqlite", told.append)
    store.put("kind", "key", Old(number=3))
    assert store.get("kind", "key", Old) == Old(number=3)
    assert len(told) == 1 and "nothing is kept after this run" in told[0] and not store.lasting


def test_a_file_damaged_while_it_is_open_is_set_aside_and_a_new_one_begun(file: Path) -> None:
    told: list[str] = []
    store = Store(file, told.append)
    for number in range(200):
        store.put("kind", str(number), Old(number=number))
    file.write_bytes(file.read_bytes()[:1024] + b"\xff" * 8192)
    store.put("kind", "after", Old(number=1))
    assert len(told) == 1 and "set aside as cache.sqlite.unreadable" in told[0] and store.lasting
    assert Store(file).get("kind", "after", Old) == Old(number=1)


def test_a_locked_file_is_waited_for(file: Path) -> None:
    Store(file)
    script = (
        "import sqlite3, sys, time\n"
        "database = sqlite3.connect(sys.argv[1])\ndatabase.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True)\ntime.sleep(0.5)\ndatabase.commit()"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"locked\n"
    store = Store(file)
    store.put("kind", "key", Old(number=3))
    assert other.wait() == 0 and store.problem is None
    assert Store(file).get("kind", "key", Old) == Old(number=3)
    other.stdout.close()


def test_a_later_version_is_set_aside_untouched(file: Path) -> None:
    Store(file).put("kind", "key", Old(number=3))
    database = sqlite3.connect(file)
    database.execute("PRAGMA user_version = 2")
    database.close()
    content = file.read_bytes()
    told: list[str] = []
    assert Store(file, told.append).counts() == {}
    assert "it is of version 2" in told[0]
    assert file.with_name("cache.sqlite.unreadable").read_bytes() == content

"""The queue: nothing twice, nothing lost, whoever else works on it and however they end."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmaftune.batch.messages import Result
from vmaftune.batch.queue import Queue, Wanted
from vmaftune.errors import UserError


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path / "queue.sqlite")
    yield made
    made.close()


def searches(folder: Path, count: int, **options: object) -> list[Wanted]:
    made = []
    for number in range(count):
        path = folder / f"{number}.mkv"
        if not path.exists():
            path.write_bytes(b"x" * (number + 1))
        made.append(Wanted(file=path, output=None, options=dict(options)))
    return made


def test_asking_again_adds_nothing_twice(queue: Queue, tmp_path: Path) -> None:
    first = queue.add(searches(tmp_path, 5, min_vmaf=93.0))
    assert (first.new, len(first.ids)) == (5, 5)
    again = queue.add(searches(tmp_path, 6, min_vmaf=93.0))
    assert again.new == 1 and again.ids[:5] == first.ids
    assert queue.counts()["queued"] == 6
    other = queue.add(searches(tmp_path, 1, min_vmaf=95.0))
    assert other.new == 1  # another question


def test_a_source_that_changed_is_done_again(queue: Queue, tmp_path: Path) -> None:
    wanted = searches(tmp_path, 2)
    ids = queue.add(wanted).ids
    for _ in ids:
        row = queue.claim(None)
        assert row is not None and queue.end(row.id, Result(code=0, report={"crf": 20}))
    assert queue.add(wanted).done == 2 and queue.claim(None) is None
    wanted[1].file.write_bytes(b"another film")
    assert queue.add(wanted).changed == 1
    row = queue.claim(None)
    assert row is not None and row.path.name == "1.mkv" and not row.begun


def test_an_encode_is_known_by_its_output(queue: Queue, tmp_path: Path) -> None:
    one, two = searches(tmp_path, 2)
    output = tmp_path / "out.mkv"
    encode = Wanted(file=one.file, output=output, options={"min_vmaf": 93})
    (id_,) = queue.add([encode]).ids
    with pytest.raises(UserError, match=r"would both become .*out\.mkv"):
        queue.add([two, Wanted(file=two.file, output=output, options={})])
    assert queue.counts()["queued"] == 1  # all or none
    queue.claim(None)
    output.write_bytes(b"encoded")
    queue.end(id_, Result(code=0, report={}))
    assert queue.add([encode]).done == 1
    output.unlink()
    assert queue.add([encode]).changed == 1  # what is gone is made again


def test_names_that_are_no_text_come_back_as_they_were(queue: Queue, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\xff\n'%d.mkv")
    queue.add([Wanted(file=path, output=None, options={"vfilter": os.fsdecode(b"\xfe")})])
    row = queue.claim(None)
    assert row is not None and row.path == path and row.options["vfilter"] == os.fsdecode(b"\xfe")
    queue.end(row.id, Result(code=0, report={"source": str(path)}))
    assert next(queue.rows()).report == {"source": str(path)}


def test_rows_of_a_dead_owner_go_back_and_those_of_a_living_one_stay(queue: Queue, tmp_path: Path) -> None:
    queue.add(searches(tmp_path, 2))
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom vmaftune.batch.queue import Queue\n"
        f"queue = Queue(Path({str(queue.path)!r}))\nqueue.claim(None)\nprint('claimed', flush=True)\ntime.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "claimed\n"
    assert queue.recover() == 0 and queue.counts()["running"] == 1
    child.kill()
    child.wait()
    assert queue.recover() == 1 and queue.counts()["queued"] == 2
    assert not list(tmp_path.glob("*.owner"))


def test_two_at_once_never_take_one_row_twice(queue: Queue, tmp_path: Path) -> None:
    queue.add(searches(tmp_path, 60))
    script = (
        "from pathlib import Path\nfrom vmaftune.batch.queue import Queue\nfrom vmaftune.batch.messages import Result\n"
        f"queue = Queue(Path({str(queue.path)!r}))\n"
        "while (row := queue.claim(None)) is not None:\n"
        "    print(row.id, queue.end(row.id, Result(code=0)), flush=True)\nqueue.close()"
    )
    children = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    taken = Counter(line for child in children for line in child.communicate(timeout=180)[0].splitlines())
    assert len(taken) == 60 and set(taken.values()) == {1} and all(line.endswith("True") for line in taken)


def test_a_result_of_a_row_that_was_lost_is_not_written(queue: Queue, tmp_path: Path) -> None:
    (id_,) = queue.add(searches(tmp_path, 1)).ids
    assert not queue.end(id_, Result(code=0))  # never claimed
    queue.claim(None)
    assert queue.lost(id_, "signal 9")  # once is borne
    row = queue.claim(None)
    assert row is not None and row.losses == 1
    assert not queue.lost(id_, "signal 9") and queue.counts()["failed"] == 1
    assert queue.retry(None) == 1 and queue.counts()["queued"] == 1


def test_what_is_no_queue_of_ours_is_left_alone(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"\x1aE\xdf\xa3" * 500)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE precious (x)")
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    for path, said in ((film, "is no queue"), (other, "is no queue"), (newer, "version 99")):
        before = path.read_bytes()
        with pytest.raises(UserError, match=said):
            Queue(path)
        assert path.read_bytes()[:16] == before[:16] and path.stat().st_size == len(before)

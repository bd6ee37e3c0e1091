"""``vmaf-tune batch`` and its commands as a user runs them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.batch.conftest import FAST, LEARNED, QUICK, queue_file, results, states
from tests.cli.conftest import SIDECAR, X264, Program


@pytest.fixture
def folder(program: Program, many: Path) -> Path:
    """Good, broken and oddly named files."""
    made = program.home / "films"
    (made / "sub").mkdir(parents=True)
    shutil.copy(many / "clip00.mkv", made / "-i concat:%d '.mkv")
    shutil.copy(many / "clip01.mkv", os.fsencode(made / "sub") + b"/caf\xe9\n.mkv")
    (made / "broken.mkv").write_bytes((many / "clip02.mkv").read_bytes()[:700])
    (made / "empty.mkv").touch()
    return made


def test_one_broken_file_never_stops_the_rest(program: Program, folder: Path) -> None:
    ended = program("batch", folder, "-o", "out", *QUICK, "--jobs", "2")
    assert ended.code == 1 and "Traceback" not in ended.err
    lines = ended.out.splitlines()
    assert sorted(line.split()[0] for line in lines) == ["done", "done", "failed", "failed"]
    out = os.fsencode(program.home / "out")
    made = {name for _, _, names in os.walk(out) for name in names}
    assert made == {b"-i concat:%d '.mkv", b"caf\xe9\n.mkv"}
    table = ended.err.splitlines()
    table = table[next(n for n, line in enumerate(table) if line.startswith("2 files done, 2 failed")) :]
    assert "became" in table[1]
    for said in ("films/broken.mkv cannot be", "films/empty.mkv is empty"):
        assert sum(said in line for line in table) == 1, ended.err
    (folder / "empty.mkv").unlink()
    shutil.copy(folder / "-i concat:%d '.mkv", folder / "empty.mkv")  # mended
    again = program("batch", folder, "-o", "out", *QUICK, "--json")
    assert [one["state"] for one in results(again.out)] == ["done"] and again.code == 1
    assert "1 failed before (vmaf-tune batch retry)" in again.err


def test_status_retry_export_and_clear(program: Program, folder: Path) -> None:
    missing = program("batch", "status")
    assert missing.code == 2 and "there is no queue" in missing.complaint()
    program("batch", folder, "--search-only", *QUICK)
    assert program("batch", "status").out.splitlines()[0] == "0 queued, 0 running, 2 done, 2 failed"
    status = program("batch", "status", "--json").json
    assert (status["done"], status["failed"]) == (2, 2) and len(status["files"]) == 2
    assert program("batch", "export", "all.json").code == program("batch", "export", "all.csv").code == 0
    rows = json.loads((program.home / "all.json").read_bytes())
    with (program.home / "all.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [row["file"] for row in table]
    assert [float(row["vmaf"]) for row in table if row["vmaf"]] == [
        row["report"]["vmaf"] for row in rows if row["report"] is not None
    ]
    assert program("batch", "export", "all.txt").code == 2
    assert program("batch", "retry", folder / "empty.mkv").out.startswith("1 file queued again")
    assert program("batch", "retry", "--failed").out.startswith("1 file queued again")
    assert program("batch", "retry", "nofilm.mkv").code == 2
    assert program("batch", "status").out.startswith("2 queued, 0 running, 2 done")
    assert len(results(program("batch", "--json").out)) == 2
    assert program("batch", "clear").out == "2 files forgotten\n"
    assert program("batch", "clear", "--all").out == "2 files forgotten\n"
    empty = program("batch")
    assert empty.code == 2 and "the queue is empty" in empty.complaint()


def test_a_batch_finds_what_single_searches_find(program: Program, many: Path) -> None:
    clips = [many / f"clip{number:02d}.mkv" for number in (3, 9)]
    batch = results(program("batch", *clips, "--search-only", *FAST, "--jobs", "2", "--json").out)
    for one in batch:
        alone = program("crf-search", "-i", one["file"], *FAST, "--no-cache", "--json").json
        for name in ("crf", "vmaf", "predicted_vmaf", "probe_count", "samples", "encode_command"):
            assert one["report"][name] == alone[name]


def test_a_target_that_cannot_be_met_is_3(program: Program, many: Path) -> None:
    line = [many / "clip00.mkv", "-e", "libx264", "--preset", "ultrafast", "--vmaf-scale", "none", "--min-crf", "45"]
    for more in (["--search-only"], ["-o", "out"]):
        ended = program("batch", *line, "--min-vmaf", "95", *more)
        assert ended.code == 3 and "VMAF 95 cannot be met" in ended.out
    assert list((program.home / "out").iterdir()) == []


def test_outputs_that_are_there_are_kept(program: Program, many: Path) -> None:
    line = ["batch", many / "clip00.mkv", "-o", "out", *FAST, "--crf", "30"]
    precious = program.home / "out" / "clip00.mkv"
    precious.parent.mkdir()
    precious.write_bytes(b"precious")
    ended = program(*line)
    assert ended.code == 1 and "--overwrite" in ended.out and precious.read_bytes() == b"precious"
    assert program("batch", "retry").code == 0
    assert program(*line, "--overwrite").code == 0 and precious.stat().st_size > 100
    modified = precious.stat().st_mtime_ns
    assert program("batch", "clear").code == 0
    assert program(*line).code == 0  # made of this source with these settings: taken as it is
    assert precious.stat().st_mtime_ns == modified
    other = program(*line[:-1], "33")
    assert other.code == 1 and "--overwrite" in other.out and precious.stat().st_mtime_ns == modified


def test_two_batches_on_one_queue_share_the_work(program: Program, many: Path) -> None:
    line = ["batch", *(many / f"clip{number:02d}.mkv" for number in range(8)), "--search-only", *QUICK, "--json"]
    children = [program.start(*line) for _ in range(2)]
    ended = [child.communicate(timeout=120) for child in children]
    assert all(child.returncode == 0 for child in children), ended
    files = [one["file"] for out, _ in ended for one in results(out.decode())]
    assert len(files) == len(set(files)) == 8 and set(states(program).values()) == {"done"}


def test_each_file_serves_the_next(program: Program, many: Path) -> None:
    clips = [many / f"clip{number:02d}.mkv" for number in range(3)]
    batch = results(program("batch", *clips, "--search-only", *LEARNED, *SIDECAR, "--json").out)
    reports = [one["report"] for one in batch]
    known = 0
    for report in reports:
        assert report["plugins"][0]["captures"] == known
        known += report["probe_count"]
    state = json.loads(next(program.cache.glob("sidecar/*/libx264/state.json")).read_text())
    assert len(state["history"]) == known


def test_a_row_says_itself_what_it_asks_for(program: Program, many: Path) -> None:
    (program.home / "vmaf-tune.toml").write_text('[search]\nmin-vmaf = 71\nencoder = "libx264"\nvmaf-threads = 1\n')
    program("batch", many / "clip00.mkv", "--search-only", *X264, "--min-crf", "30")
    options = json.loads(sqlite3.connect(queue_file(program)).execute("SELECT options FROM jobs").fetchone()[0])
    assert options == {
        "encoder": "libx264",
        "min_crf": 30.0,
        "min_vmaf": 71.0,
        "preset": "ultrafast",
        "vmaf_scale": "none",
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["nolist.csv"], "cannot read nolist.csv"),
        (["x.mkv", "--search-only", "--crf", "20"], "--crf says how to encode"),
        (["x.mkv", "--queue", "."], "cannot use the queue"),
        (["x.mkv", "--ship", "--scheduler", "tcp://h:1"], "add --search-only"),
        (["x.mkv", "--jobs", "0"], "--jobs"),
    ],
)
def test_what_is_wrong_for_all_is_said_once(program: Program, line: list[str], said: str) -> None:
    ended = program("batch", *line)
    assert ended.code in (1, 2) and said in ended.complaint() and not ended.out

"""A batch that is killed again and again loses nothing, does nothing twice and leaves nothing half done."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from pathlib import Path

from tests.batch.conftest import FAST, MANY, QUICK, done, queue_file, results, soon, states
from tests.cli.conftest import Program
from vmaftune.media.facts import read_facts

_SEED = 20261121
_KILLS = 5


def test_thirty_clips_killed_five_times_give_thirty_encodes(program: Program, many: Path) -> None:
    output = program.home / "out"
    line: list[str | Path] = ["batch", many, "-o", output, *FAST, "--crf", "30", "--jobs", "2"]
    moments = sorted(random.Random(_SEED).sample(range(1, MANY - 3), _KILLS))
    before: dict[Path, int] = {}
    for moment in moments:
        child = program.start(*line)
        assert soon(lambda moment=moment: done(program) >= moment), states(program)
        workers = _workers(child.pid)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert workers and soon(lambda workers=workers: not any(map(_runs, workers)))
        for path, modified in before.items():
            assert path.stat().st_mtime_ns == modified  # what was done is not done again
        before = {path: path.stat().st_mtime_ns for path in output.glob("*.mkv")}
        assert done(program) <= len(before) < MANY
    ended = program(*line, "--json")
    assert ended.code == 0, ended.err
    assert len(results(ended.out)) < MANY
    assert states(program) == {f"clip{number:02d}.mkv": "done" for number in range(MANY)}
    assert sorted(path.name for path in output.iterdir()) == sorted(states(program))  # and no partial file
    assert all(path.stat().st_mtime_ns == modified for path, modified in before.items())
    assert all(read_facts(path).codec == "h264" for path in output.iterdir())
    assert program.left_behind() == []
    database = sqlite3.connect(queue_file(program))
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("SELECT COUNT(*), COUNT(DISTINCT file), COUNT(report) FROM jobs").fetchone() == (MANY,) * 3
    database.close()
    assert not list(program.cache.glob("*.owner"))
    assert results(program(*line, "--json").out) == []


def test_a_killed_worker_costs_no_file(program: Program, many: Path) -> None:
    child = program.start("batch", many / "clip00.mkv", many / "clip01.mkv", "--search-only", *QUICK)
    assert soon(lambda: bool(_workers(child.pid)))
    os.kill(_workers(child.pid)[0], signal.SIGKILL)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    assert out.count(b"done ") == 2 and b"ended by signal 9" in err


def test_an_interrupt_ends_the_jobs_and_says_how_to_go_on(program: Program, many: Path) -> None:
    child = program.start("batch", many, "--search-only", *QUICK, "--jobs", "2")
    assert soon(lambda: done(program) >= 1)
    workers = _workers(child.pid)
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=180)
    assert child.returncode == 130 and b"Traceback" not in err, err
    assert b"vmaf-tune batch goes on from there" in err
    assert workers and not any(map(_runs, workers))
    assert set(states(program).values()) == {"done", "queued"}
    assert program.left_behind() == []


def _workers(pid: int) -> list[int]:
    listed = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    children = [int(child) for children in listed for child in children]
    return [child for child in children if b"batch.worker" in _command(child)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False

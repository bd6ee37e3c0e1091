"""A search that is killed at any moment leaves whole files, and the next one cleans up after it."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import SIDECAR, USUAL, Program

MOMENTS = {signal.SIGKILL: 8, signal.SIGTERM: 3}
_SEED = 20261121


def _check_state(program: Program) -> int:
    """Every sidecar state is whole; returns the captures in them."""
    captures = 0
    for file in program.cache.glob("sidecar/*/*/state.json"):
        state = json.loads(file.read_text())
        assert state["host_uuid"]
        captures += len(state["history"])
    return captures


def _check_cache(program: Program) -> None:
    file = program.cache / "cache.sqlite"
    if file.exists():
        database = sqlite3.connect(file)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()


@pytest.mark.parametrize("signal_number", MOMENTS)
def test_a_killed_search_leaves_whole_files(program: Program, clip: Path, signal_number: signal.Signals) -> None:
    line: list[str | Path] = ["crf-search", "-i", clip, *USUAL, *SIDECAR, "--min-vmaf", "90"]
    whole = program.start(*line, "--cache-dir", program.home / "measured")
    began = time.monotonic()
    assert whole.wait() == 0
    seconds = time.monotonic() - began
    moments = random.Random(_SEED)
    for number in range(MOMENTS[signal_number]):
        child = program.start(*line, "--no-cache" if number % 2 else "--cache")
        time.sleep(moments.uniform(0.1, 1.0) * seconds)
        os.kill(child.pid, signal_number)
        child.wait()
        _check_state(program)
        _check_cache(program)
        assert signal_number == signal.SIGKILL or program.left_behind() == []
    learned = _check_state(program)
    ended = program(*line, "--no-cache", "--json")
    assert ended.code == 0 and ended.err == "", ended.err
    assert _check_state(program) >= max(learned, ended.json["probe_count"])
    assert program.left_behind() == []


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_ffmpeg_outlives_its_search(program: Program, longer: Path, signal_number: int) -> None:
    child = program.start("crf-search", "-i", longer, "-e", "libx264", "--preset", "veryslow", "--no-cache")
    started: list[int] = []
    while not started and child.poll() is None:
        started = _children(child.pid)
    assert started
    os.kill(child.pid, signal_number)
    child.wait()
    for _ in range(100):
        if not any(_runs(pid) for pid in started):
            break
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in started)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_an_interrupt_is_one_line_and_130(program: Program, longer: Path) -> None:
    child = program.start("crf-search", "-i", longer, "-e", "libx264", "--preset", "veryslow", "--no-cache")
    assert child.stderr is not None
    line = child.stderr.readline()  # the search has begun
    os.kill(child.pid, signal.SIGINT)
    rest = child.stderr.read().decode()
    assert child.wait() == 130 and b"longer.mkv" in line
    assert rest.splitlines()[-1] == "vmaf-tune: interrupted" and "Traceback" not in rest
    assert program.left_behind() == []


def test_an_interrupt_that_python_drops_is_sent_again() -> None:
    script = (
        "import sys, time\nfrom vmaftune.cli.main import _unraisable\nsys.unraisablehook = _unraisable\n"
        "class Dropped:\n    def __del__(self): raise KeyboardInterrupt\n"
        "try:\n    Dropped()\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


_KILLED = """
import os, sys
from vmaftune.host.run import PluginRun
PluginRun.teach = lambda self, lessons: os._exit(9)
from vmaftune.cli.main import main
main()
"""


def test_a_score_that_was_kept_is_learned_though_its_run_was_killed_before_that(program: Program, clip: Path) -> None:
    """Killed between the two, and again when the next run is about to learn it; a run without the correction leaves it alone,
    and it is learned once."""
    line = ["crf-search", "-i", str(clip), *USUAL, "--min-vmaf", "90"]
    for _ in range(2):
        command = [sys.executable, "-c", _KILLED, *line, *SIDECAR]
        killed = subprocess.run(command, env=program.env(), capture_output=True, timeout=240)
        assert killed.returncode == 9, killed.stderr
    assert _check_state(program) == 0
    assert program(*line).code == 0
    assert _check_state(program) == 0
    ended = program(*line, *SIDECAR, "--json")
    assert ended.code == 0 and ended.err == "" and ended.json["probe_count"] == 0, ended.err
    assert _check_state(program) == 1
    assert list((program.cache / "pending").iterdir()) == []
    program.search(clip, *SIDECAR)
    assert _check_state(program) == 1

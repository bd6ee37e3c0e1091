"""What a person sees of a batch, on terminals of several widths and in a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.terminal import watch

JOBS, FILES = 3, 12

SCRIPT = """
import os, sys, time
from vmaftune.batch.messages import Result, Step
from vmaftune.batch.queue import Row
from vmaftune.cli.batch.run import _Printing

def row(number):
    name = f"/films/[b]the-{'very-' * (number % 3)}long-name-of-a-film-{number:02d}-映画.mkv".encode()
    return Row(id=number, file=name, output=b"/out/x.mkv", options={}, state="running", begun=True, losses=0, work=100.0,
               code=None, reason=None, report=None, seconds=None)

jobs, files = int(sys.argv[1]), int(sys.argv[2])
report = {"crf": 23.5, "final_vmaf": 95.12, "encoded_percent": 61.5, "search": None}
screen = _Printing(as_json="--json" in sys.argv, quiet=False)
with screen:
    screen.begin(None, {"queued": files, "running": 0, "done": 0, "failed": 0})
    rows = [row(number) for number in range(files)]
    for first in range(0, files, jobs):
        now = rows[first : first + jobs]
        for one in now:
            screen.began(one)
        for share in (0.2, 0.9):
            for one in now:
                screen.step(one, Step(what="exploring CRF 23.5", share=share, done=share, verified=(22.0, 95.17)))
            screen.display and screen.display.refresh()
        screen.step(now[0], Step(warning="its times go backwards, and " + "so on and on, " * 12 + "to the end"))
        for one in now:
            print("a plugin prints this", file=sys.stderr)
            code = one.id % 4 == 3
            reason = "it cannot be met: " + "a long reason, " * 9 if code else ""
            screen.ended(one, Result(code=code, reason=reason, report=report))
            screen.display and screen.display.refresh()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "show.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
@pytest.mark.parametrize("jobs", [1, 3])
def test_every_line_stands_alone_at_every_width(script: Path, columns: int, jobs: int) -> None:
    code, screen, seen = watch([sys.executable, script, str(jobs), "12"], columns, 24, os.environ, script.parent)
    assert code == 0
    lines = screen.whole_lines
    ended = "\n".join(lines)
    assert lines[0] == "12 files to do"
    for number in range(12):
        mine = [line for line in lines if f"film-{number:02d}-" in line and line.startswith(("done", "failed"))]
        assert len(mine) == 1, ended
    assert sum(line.startswith("a plugin prints this") for line in lines) == 12, ended
    assert sum("its times go backwards" in line for line in lines) == 12 // jobs
    said = ("done", "failed", "a plugin prints this")
    rest = [line for line in lines[1:] if line and not line.startswith(said) and "times go" not in line]
    assert rest == [], ended  # nothing of the display is left
    assert max(cell_len(line) for text in seen for line in text.splitlines()) <= columns
    drawn = [
        [line for line in text.splitlines() if line.startswith("  ")] for text in seen
    ]  # some in the midst of drawing
    whole = [live for live in drawn if len(live) == jobs + 1 and ("of 12 done" in live[-1] or "/12" in live[-1])]
    assert any(all("CRF 23.5" in line for line in live[:-1]) for live in whole), seen


def test_more_jobs_than_lines_leave_nothing_behind(script: Path) -> None:
    _, screen, seen = watch([sys.executable, script, "30", "30"], 80, 10, os.environ, script.parent)
    assert sum(line.startswith(("done", "failed")) for line in screen.whole_lines) == 30
    assert not any(line.startswith("  ") for line in screen.whole_lines)
    assert any("and 23 files more" in text for text in seen)


def test_results_go_to_a_file_while_the_display_is_on_a_terminal(script: Path) -> None:
    line = f"exec {sys.executable} {script} 2 6 --json > out.txt"
    _, screen, seen = watch(["sh", "-c", line], 80, 24, os.environ, script.parent)
    assert len((script.parent / "out.txt").read_text().splitlines()) == 6
    assert any("exploring" in text for text in seen) and not any('"file"' in text for text in screen.lines)


def test_a_pipe_gets_plain_lines_whole(script: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR",)}
    done = subprocess.run(
        [sys.executable, str(script), "3", "12"], env={**environment, "COLUMNS": "40"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    out = done.stdout.splitlines()
    assert len(out) == 12 and all(line.startswith(("done ", "failed ")) for line in out)
    assert "\x1b" not in done.stdout + done.stderr and "━" not in done.stderr
    err = done.stderr.splitlines()
    assert err[0] == "12 files to do" and sum("to the end" in line for line in err) == 4
    assert len(err) == 1 + 4 + 12

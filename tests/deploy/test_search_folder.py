"""The worker's loop, run by a real shell with a stand-in for vmaf-tune."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.chart import CHART

SCRIPT = CHART / "files" / "search-folder.sh"
_SEARCH = r"""#!/bin/sh
for word; do printf '%s\n' "$word"; done >>"$LOG"; echo >>"$LOG"
while [ "$1" != -i ]; do shift; done
echo "{}"
case ${2##*/} in *missed*) exit 3 ;; *refused*) exit 2 ;; *broken*) exit 1 ;; *long*) echo $$ >"$LOG.pid"; exec sleep 60 ;; esac
"""
_ROUNDS = 'echo >>"$LOG.rounds"; [ "$(wc -l <"$LOG.rounds")" -lt 2 ] || kill -TERM "$PPID"\n'


@dataclass(frozen=True)
class Folder:
    """A folder to search, and what was done there."""

    path: Path

    @property
    def results(self) -> dict[str, str]:
        return {path.name: path.read_text("utf-8") for path in sorted((self.path / "results").iterdir())}

    @property
    def searched(self) -> list[list[str]]:
        return [part.splitlines() for part in (self.path / "log").read_text("utf-8").split("\n\n") if part]

    def start(self, names: Sequence[str], rounds: bool = True) -> subprocess.Popen[bytes]:
        for name in names:
            (self.path / "input" / name).touch()
        for name, text in {"vmaf-tune": _SEARCH, **({"sleep": f"#!/bin/sh\n{_ROUNDS}"} if rounds else {})}.items():
            program = self.path / "bin" / name
            program.write_text(text, "utf-8")
            program.chmod(0o755)
        env = {**os.environ, "PATH": f"{self.path / 'bin'}:{os.environ['PATH']}", "LOG": str(self.path / "log")}
        command = [
            "/bin/sh",
            SCRIPT,
            self.path / "input",
            self.path / "results",
            "1",
            "vmaf-tune",
            "--crf-search",
            "--plugin",
            "p",
        ]
        return subprocess.Popen(command, env={**env, "TMPDIR": str(self.path / "tmp")}, stderr=subprocess.PIPE)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    for name in ("input", "results", "bin", "tmp"):
        (tmp_path / name).mkdir()
    return Folder(tmp_path)


def test_every_file_is_searched_once_whatever_its_name(folder: Folder) -> None:
    names = ["a.mkv", "b c.mkv", "-d'.mkv", "$(e).mkv"]
    with folder.start(names) as running:
        assert running.wait(20) == 143
        assert running.stderr is not None and running.stderr.read() == b""
    assert folder.results == {f"{name}.json": "{}\n" for name in names}
    searched = [["--crf-search", "--plugin", "p", "-i", str(folder.path / "input" / name), "--json"] for name in names]
    assert sorted(folder.searched) == sorted(searched)


def test_a_missed_target_is_a_result_and_only_what_may_get_better_is_tried_again(folder: Folder) -> None:
    with folder.start(["missed.mkv", "refused.txt", "broken.mkv"]) as running:
        assert running.wait(20) == 143
    assert {*folder.results} == {"missed.mkv.json"}
    tried = [Path(command[4]).name for command in folder.searched]
    assert sorted(tried) == ["broken.mkv", "broken.mkv", "missed.mkv", "refused.txt"]


def test_an_empty_folder_is_waited_on(folder: Folder) -> None:
    with folder.start([]) as running:
        assert running.wait(20) == 143
    assert folder.results == {}


def test_a_search_ends_with_the_pod(folder: Folder) -> None:
    with folder.start(["long.mkv"], rounds=False) as running:
        pid_file = folder.path / "log.pid"
        until = time.monotonic() + 60
        while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < until:
            time.sleep(0.01)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 143
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)
    assert not any(name.endswith(".json") for name in folder.results)

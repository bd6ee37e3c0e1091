"""The service with the real learner: what it does while its checkpoints cannot be written, and that it ends in time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.trainer.conftest import Connected
from tests.trainers.test_checkpoints import whole
from vmaftune.corpus.rows import CorpusRow
from vmaftune.trainer.messages import request_line
from vmaftune.trainer.status import Status, ask

pytest.importorskip("torch")


def _without_privilege() -> list[str]:
    """What lets root's rights to its files count."""
    if os.geteuid() == 0 and shutil.which("setpriv"):
        return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    return []


class Farm:
    """A service, and a client that sends it real scores."""

    def __init__(self, home: Path, rows: list[CorpusRow]) -> None:
        self.home, self._rows, self._sent = home, rows, 0
        self.socket, self.errors, self.checkpoints = home / "s", home / "log", home / "trainer/checkpoints"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **changes: Any) -> subprocess.Popen[bytes]:
        setting = json.dumps({"home": str(self.home), "socket": str(self.socket), **changes})
        with self.errors.open("ab") as errors:
            command = [*_without_privilege(), sys.executable, "-m", "tests.trainers.serving", setting]
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=errors)
        self.until(lambda: ask(self.socket) is not None)
        return self.process

    def status(self) -> Status:
        found = ask(self.socket)
        assert found is not None
        return found

    def send(self, count: int = 60) -> None:
        """Every one is acknowledged."""
        connected = Connected(self.socket)
        for _ in range(count):
            self._sent += 1
            row = self._rows[self._sent * 37 % len(self._rows)]
            line = request_line(
                f"s{self._sent}", row.encoder, row.preset, row.crf, (*row.features[:6], 0.5, *row.features[7:]), 90.0
            )
            assert connected.say(line)["ok"]
        connected.close()

    def until(self, happened: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not happened():
            assert self.process is not None and self.process.poll() is None, self.errors.read_text()
            assert time.monotonic() < until, self.errors.read_text()
            time.sleep(0.02)

    def newest(self) -> int:
        """Number of the newest checkpoint; all that are there are whole."""
        numbers = [int(name[-4:]) for name in whole(self.home / "trainer")] if self.checkpoints.is_dir() else []
        return max(numbers, default=0)

    def survive(self, take_away: Callable[[], object], give_back: Callable[[], object], reason: str) -> None:
        """While checkpoints cannot be written, samples are taken and trained on, and it is said; then they are again."""
        self.send()
        self.until(lambda: self.newest() > 0)
        before = self.newest()
        take_away()
        self.send()
        self.until(lambda: reason in self.status().last_error)
        status = self.status()
        assert status.last_error.startswith("checkpoint failed: "), status.last_error
        assert self.status().training_errors > 0 and reason in self.errors.read_text()
        self.send()
        self.until(lambda: self.status().step > status.step)
        assert self.status().failed == 0
        give_back()
        self.until(lambda: self.newest() > before)
        self.until(lambda: int((self.status().checkpoint or "sgd-ema-0").split("-")[2]) > before)


@pytest.fixture
def farm(rows: list[CorpusRow]) -> Iterator[Farm]:
    with tempfile.TemporaryDirectory(prefix="vt-") as home:
        made = Farm(Path(home), rows)
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.wait()


def test_it_goes_on_without_its_checkpoint_folder(farm: Farm) -> None:
    process, folder = farm.start(), farm.checkpoints
    farm.send()
    farm.until(lambda: farm.newest() > 0)
    before = farm.newest()
    shutil.rmtree(folder)
    farm.send()
    farm.until(lambda: farm.newest() > before)
    assert farm.status().training_errors == 0, "it is made again"

    def not_mounted() -> None:
        shutil.rmtree(folder)
        folder.write_text("in its place")

    farm.survive(not_mounted, folder.unlink, "File exists")
    if os.geteuid() != 0 or _without_privilege():
        farm.survive(lambda: folder.chmod(0o500), lambda: folder.chmod(0o700), "Permission denied")
    process.terminate()
    assert process.wait(10) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_the_disk_of_its_checkpoints_is_full(farm: Farm) -> None:
    farm.checkpoints.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(farm.checkpoints)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    blocker = farm.checkpoints / "blocker"
    try:
        farm.start()
        farm.survive(lambda: _fill(blocker), blocker.unlink, "No space left on device")
    finally:
        subprocess.run(["umount", "-l", str(farm.checkpoints)], check=False)


def _fill(blocker: Path) -> None:
    handle = os.open(blocker, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(handle, b"x" * 4096):
            pass
    except OSError:
        os.close(handle)


def test_it_ends_in_time_in_the_middle_of_a_long_step(farm: Farm) -> None:
    process = farm.start(batch=256, rehearsal=100.0)
    farm.send()
    farm.until(lambda: farm.status().step > 0)
    process.terminate()
    assert process.wait(60) == 0
    assert sum(1 for path in (farm.home / "trainer/spool").iterdir() for _ in path.open()) == 60

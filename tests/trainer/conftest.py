"""A real service in a process of its own, and raw connections to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.conftest import clip, clips, program  # noqa: F401 (fixtures)
from tests.conftest import ROOT
from tests.trainer.counting import Held, held_in
from tests.trainer.serving import Setting
from vmaftune.contract import Capture
from vmaftune.contract.features import FEATURES, SCHEMA_VERSION, Features
from vmaftune.trainer.status import Status, ask

_seconds = itertools.count()
FEATURE_VALUES = tuple(scale.centre for scale in FEATURES.values())


def request(sample_id: str, **changes: object) -> bytes:
    """The line of a sample."""
    fields = {"v": 1, "id": sample_id, "encoder": "libx264", "preset": "medium", "crf": 23.0}
    return json.dumps({**fields, "features": FEATURE_VALUES, "true_score": 93.5, **changes}).encode() + b"\n"


def capture(observed: float = 93.5, **changes: Any) -> Capture:
    """A capture as a search makes it, no two at one time: one that comes again is the same one."""
    fields = {
        "features": Features(schema=SCHEMA_VERSION, values=FEATURE_VALUES),
        **{"encoder": "libx264", "preset": "medium", "crf": 23.0, "crf_position": 0.4},
        **{"predicted": 92.0, "deviation": 1.5, "corrected": 92.0, "unix_seconds": 1.79e9 + next(_seconds)},
    }
    return Capture(observed=observed, **{**fields, **changes})


class Connected:
    """A connection that speaks lines."""

    def __init__(self, path: Path, seconds: float = 10.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        self.socket.connect(str(path))
        self._answers = self.socket.makefile("rb")

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def answer(self) -> Any:
        """The next answer; None where the connection was closed."""
        line = self._answers.readline()
        return json.loads(line) if line else None

    def say(self, line: bytes) -> Any:
        self.send(line)
        return self.answer()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._answers.close()
        self.socket.close()


class Served:
    """A service with folders of its own below ``home``; starts and ends any number of times."""

    def __init__(self, home: Path, runtime: Path) -> None:
        self.home = home
        self.socket = runtime / "t.sock"
        self.folder, self.waiting, self.errors = home / "state", home / "waiting", home / "stderr"
        self.process: subprocess.Popen[bytes] | None = None
        self._connections: list[Connected] = []

    def setting(self, **changes: Any) -> Setting:
        return Setting(socket=str(self.socket), folder=str(self.folder), waiting=str(self.waiting), **changes)

    def start(self, **changes: Any) -> subprocess.Popen[bytes]:
        """Start it, and wait until it listens."""
        process = self.launch(**changes)
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if ask(self.socket) is not None:
                    return process
            assert process.poll() is None, self.errors.read_text()
            assert time.monotonic() < until, "it does not listen"
            time.sleep(0.005)

    def launch(self, **changes: Any) -> subprocess.Popen[bytes]:
        setting = msgspec.json.encode(self.setting(**changes)).decode()
        with self.errors.open("ab") as errors:
            command = [sys.executable, "-m", "tests.trainer.serving", setting]
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=errors)
        return self.process

    def connect(self, seconds: float = 10.0) -> Connected:
        self._connections.append(Connected(self.socket, seconds))
        return self._connections[-1]

    def status(self) -> Status:
        found = ask(self.socket)
        assert found is not None
        return found

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(10)

    def held(self) -> Held:
        """What the learner's snapshot holds."""
        return held_in(self.folder)

    def log(self) -> list[Any]:
        """The events of its log."""
        return [json.loads(line) for line in self.errors.read_text().splitlines()]

    def resident_bytes(self) -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split("VmRSS:")[1].split()[0])

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="vt-") as runtime:  # a socket's path must be short
        made = Served(tmp_path, Path(runtime))
        yield made
        made.close()

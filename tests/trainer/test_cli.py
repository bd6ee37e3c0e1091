"""``vmaf-tune trainer`` as a user runs it, with a trainer that is a plugin of somebody else's."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Program, install
from tests.conftest import ROOT
from tests.trainer.conftest import Connected, request
from tests.trainer.counting import CountingLearner
from vmaftune.contract.learner import Sample
from vmaftune.extras import install_command
from vmaftune.trainer.fit import fit
from vmaftune.trainer.waiting import WaitingRoom

PLUGIN = f"""
    import sys
    sys.path.append({str(ROOT)!r})
    import msgspec
    from vmaftune import hookimpl
    from vmaftune.contract import TrainerSpec

    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        step: float = 0.0

    def make_learner(context):
        from tests.trainer.counting import CountingLearner
        return CountingLearner(context.folder, context.settings.step)

    def torchless(context):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    @hookimpl
    def vmaftune_trainers():
        yield TrainerSpec(name="counting", version="1", factory=None, settings=Settings, learner=make_learner)
        yield TrainerSpec(name="torchless", version="1", factory=None, learner=torchless)
        yield TrainerSpec(name="listener", version="1", factory=None)
"""


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vt-") as folder:
        yield Path(folder) / "t.sock"


@pytest.fixture
def ours(program: Program, socket: Path) -> Program:
    """The program with the plugin, and a socket of its own."""
    made = install(program, "counters", PLUGIN)
    environment = {**made.environment, "VMAFTUNE_TRAINER_SOCKET": str(socket)}
    return Program(home=made.home, environment=environment)


def started(program: Program, *arguments: str) -> subprocess.Popen[bytes]:
    process = program.start("trainer", "serve", *arguments)
    until = time.monotonic() + 60
    while program("trainer", "status").code != 0:
        assert time.monotonic() < until and process.poll() is None, process.communicate()
    return process


def test_serve_and_status(ours: Program, socket: Path) -> None:
    ended = ours("trainer", "status")
    assert ended.code == 1 and f"no trainer runs at {socket}" in ended.out and ended.err == ""
    assert ours("trainer", "status", "--json").json == {"running": False, "socket": str(socket), "status": None}
    process = started(ours, "--plugin", "counting")
    assert Connected(socket).say(request("a"))["ok"]
    ended = ours("trainer", "status")
    assert ended.code == 0 and "1 acknowledged (each on the disk before it is acknowledged)" in ended.out
    report = ours("trainer", "status", "--json").json
    assert report["running"] is True and report["status"]["plugin"] == "counting" and report["status"]["taken"] == 1
    ended = ours("trainer", "fit", "--plugin", "counting")
    assert ended.code == 2 and "another trainer uses the folder" in ended.complaint()
    process.terminate()
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0 and out == b""
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["recovered", "listening", "stopped"]
    assert (ours.cache / "trainer" / "counting.json").exists()


def test_limits_are_options(ours: Program, socket: Path) -> None:
    process = started(ours, "--plugin", "counting", "--max-connections", "1", "--max-line", "1024")
    until = time.monotonic() + 60
    while not (answer := (first := Connected(socket)).say(request("a")))[
        "ok"
    ]:  # the question of before may be open yet
        assert time.monotonic() < until, answer
    assert "too many connections" in Connected(socket).answer()["error"]
    assert "longer than 1024 bytes" in first.say(b"x" * 1100)["error"]
    process.terminate()
    assert process.wait(10) == 0


def test_a_socket_whose_name_is_no_text(ours: Program, socket: Path) -> None:
    place = socket.with_name("\udcff.sock")
    process = ours.start("trainer", "serve", "--plugin", "counting", "--socket", str(place))
    until = time.monotonic() + 60
    while not place.exists():
        assert time.monotonic() < until and process.poll() is None, process.communicate()
        time.sleep(0.01)
    assert Connected(place).say(request("a"))["ok"]
    for options in ((), ("--json",)):
        ended = ours("trainer", "status", "--socket", str(place), *options)
        assert ended.code == 0 and ended.err == "", ended.err
    process.terminate()
    assert process.wait(10) == 0


def test_a_service_that_hangs_is_said(ours: Program, socket: Path) -> None:
    process = started(ours, "--plugin", "counting")
    process.send_signal(signal.SIGSTOP)
    ended = ours("trainer", "status", "--json")
    assert ended.code == 1 and ended.out == ""
    assert f"the trainer at {socket} does not answer: timed out" in ended.complaint()
    process.send_signal(signal.SIGCONT)
    process.terminate()
    assert process.wait(10) == 0


def test_fit(ours: Program) -> None:
    ended = ours("trainer", "fit", "--plugin", "counting")
    assert ended.code == 0 and ended.out.startswith("nothing to train on")
    WaitingRoom(ours.cache / "trainer").append([request(f"w-{n}") for n in range(20)])
    ended = ours("trainer", "fit", "--plugin", "counting", "--steps", "5")
    assert ended.out == "20 new samples of 20 in all, 5 steps\ncheckpoint counting-1: it is latest-stable now\n"
    ended = ours("trainer", "fit", "--plugin", "counting")
    assert ended.out.startswith("0 new samples of 20 in all, 15 steps\n")


def test_fit_trains_on_what_waits_as_it_takes_it_in(tmp_path: Path) -> None:
    """A learner that is given all at once would only replay what it cannot keep up with."""
    behind = []

    class Watched(CountingLearner):
        def ingest(self, samples: Sequence[Sample]) -> None:
            behind.append(self.statistics().taken - self.statistics().step)
            super().ingest(samples)

    assert WaitingRoom(tmp_path).append([request(f"w-{n}") for n in range(5000)]) == 5000
    fitted = fit(tmp_path / "state", tmp_path, lambda: Watched(tmp_path / "state"), None)
    assert (fitted.samples, fitted.steps) == (5000, 5000) and behind == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("serve",), "which trainer? --plugin counting or sgd-ema-trainer or torchless"),
        (("serve", "--plugin", "none"), "no plugin none is installed"),
        (("serve", "--plugin", "listener"), "listener brings nothing that could be trained here"),
        (("serve", "--plugin", "torchless"), f"torchless needs torch: {install_command('train')}"),
        (("fit", "--plugin", "torchless"), f"torchless needs torch: {install_command('train')}"),
        (("serve", "--plugin", "counting", "--socket", "."), "is no socket"),
        (("serve", "--metrics-port", "70000"), "--metrics-port"),
        (("serve", "--max-connections", "0"), "--max-connections"),
        (("serve", "--idle-seconds", "nan"), "--idle-seconds"),
        (("serve", "--max-rate", "-1"), "--max-rate"),
        (("serve", "--max-line", "100"), "--max-line"),
        (("fit", "--steps", "0"), "--steps"),
        (("status", "--socket", "x" * 120), "longer than the 107 bytes"),
    ],
)
def test_mistakes_are_one_line(ours: Program, arguments: tuple[str, ...], complaint: str) -> None:
    ended = ours("trainer", *arguments)
    assert ended.code == 2
    lines = [line for line in ended.err.splitlines() if not line.startswith("{")]
    assert len(lines) == 1 and complaint in lines[0], ended.err


def test_settings_come_from_the_configuration(ours: Program) -> None:
    config = ours.home / "mine.toml"
    config.write_text("[plugins.counting]\nstep = 'slow'\n")
    ended = ours("trainer", "serve", "--plugin", "counting", "--config", config)
    assert ended.code == 2 and "plugins.counting.step" in ended.complaint()


@pytest.mark.parametrize("command", ["", "serve", "status", "fit"])
def test_help(program: Program, command: str) -> None:
    ended = program("trainer", *command.split(), "--help", env={"COLUMNS": "200"})
    assert ended.code == 0 and max(map(len, ended.out.splitlines())) <= 100


def test_a_search_leaves_its_scores_for_the_trainer(ours: Program, clip: Path) -> None:
    found = ours("crf-search", "-i", clip, "-e", "libx264", "--min-vmaf", "90", "--plugin", "sgd-ema-trainer")
    assert found.code == 0
    assert "sgd-ema-trainer: 0 scores handed to the trainer, " in found.err and " wait on the disk for one" in found.err
    ended = ours("trainer", "fit", "--plugin", "counting")
    assert ended.code == 0 and "new samples" in ended.out

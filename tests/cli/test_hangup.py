"""A terminal that is closed ends a run as SIGTERM does: nothing half made is left, and the exit code says why."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Program, ffmpeg
from tests.cli.terminal import on_a_terminal

SLOW = ("-e", "libx264", "--preset", "veryslow", "--crf", "10", "--no-verify")
HUNG_UP = 128 + signal.SIGHUP


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that takes seconds to encode."""
    path = tmp_path_factory.mktemp("noise") / "noise.mkv"
    source = "nullsrc=size=320x240:rate=25:duration=6,geq=random(1)*255:128:128"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "30", path)
    return path


def _being_made(child: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until an encode is being made in ``folder``."""
    while not list(folder.rglob("encode.part")):
        assert child.poll() is None
        time.sleep(0.02)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("job", ["encode", "batch"])
def test_a_hangup_removes_what_is_half_made(program: Program, noise: Path, tmp_path: Path, job: str) -> None:
    (out := tmp_path / "out").mkdir()
    line = ["encode", "-i", noise, "-o", out / "noise.mkv"] if job == "encode" else ["batch", noise, "-o", out]
    child = program.start(*line, *SLOW)
    _being_made(child, out)
    for _ in range(2):  # the terminal's, and another one of its shell
        os.kill(child.pid, signal.SIGHUP)
    assert child.wait() == HUNG_UP
    assert _files(out) == [] and program.left_behind() == []


def test_a_terminal_that_is_closed_removes_what_is_half_made(program: Program, noise: Path, tmp_path: Path) -> None:
    command = program.command("encode", "-i", noise, "-o", tmp_path / "out.mkv", *SLOW)
    child, ours = on_a_terminal(command, program.env(TERM="xterm-256color"), program.home, controlling=True)
    _being_made(child, tmp_path)
    os.close(ours)
    assert child.wait() == HUNG_UP
    assert not list(tmp_path.glob("*/encode.part")) and program.left_behind() == []


def test_nohup_goes_on(program: Program, noise: Path, tmp_path: Path) -> None:
    arguments = (
        "encode",
        "-i",
        noise,
        "-e",
        "libx264",
        "--preset",
        "veryfast",
        "--crf",
        "10",
        "-o",
        tmp_path / "out.mkv",
    )
    child = subprocess.Popen(
        ["nohup", *program.command(*arguments)],
        env=program.env(),
        cwd=program.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _being_made(child, tmp_path)
    os.killpg(child.pid, signal.SIGHUP)
    assert child.communicate()[0] and child.returncode == 0
    assert (tmp_path / "out.mkv").is_file()

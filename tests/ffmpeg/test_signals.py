"""However a run ends, no ffmpeg outlives it; and no temporary folder outlives the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Clips
from tests.ffmpeg.processes import processes_naming
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.state.workspace import workspace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

# A run as the search makes one: a workspace, and an encode in it that goes on for an hour.
_RUN = """
import sys
from pathlib import Path
from vmaftune.ffmpeg import process
from vmaftune.state.workspace import workspace
with workspace() as folder:
    source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=3600"]
    encode = [*source, "-c:v", "libx264", "-f", "matroska", f"file:{folder / 'out.mkv'}"]
    process.run(Path(sys.argv[1]), encode, on_progress=lambda frames: print("encoding", flush=True))
"""


@contextmanager
def _started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "TMPDIR": str(folder)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as child:
        try:
            yield child
        finally:
            child.kill()


def _until_gone(folder: Path) -> list[int]:
    """Processes that name ``folder`` and are still there when they have had more than enough time."""
    patience = time.monotonic() + 30
    while (left := processes_naming(folder)) and time.monotonic() < patience:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_ffmpeg_ends_with_us(number: signal.Signals, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    terminate = "from vmaftune.ending import unwind_on_signals\nunwind_on_signals()\n"
    with _started([sys.executable, "-c", terminate + _RUN, str(ffmpeg.path)], tmp_path) as run:
        assert run.stdout is not None and run.stdout.readline() == "encoding\n"
        assert processes_naming(tmp_path)
        run.send_signal(number)
        run.wait()
    assert not _until_gone(tmp_path)
    left = list(tmp_path.glob("vmaf-tune-*"))
    if number != signal.SIGKILL:
        assert not left
        return
    assert len(left) == 1, "nobody was there to remove it"
    with workspace(tmp_path) as folder:
        assert list(tmp_path.glob("vmaf-tune-*")) == [folder]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_search_that_is_stopped(number: signal.Signals, clips: Clips, tmp_path: Path) -> None:
    source = clips.lavfi(
        "slow.mkv", "testsrc2=size=640x360:rate=25:duration=8", ["-c:v", "libx264", "-preset", "ultrafast"]
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [
        sys.executable,
        "-m",
        "vmaftune",
        "crf-search",
        "-i",
        str(source),
        "-e",
        "libx265",
        "--preset",
        "placebo",
    ]
    with _started([*command, "--cache-dir", str(tmp_path / "cache")], temporary) as run:
        while not processes_naming(temporary) and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(number)
        _, errors = run.communicate()
    assert run.returncode == 128 + number
    assert "Traceback" not in errors
    assert not _until_gone(temporary)
    assert not list(temporary.iterdir())

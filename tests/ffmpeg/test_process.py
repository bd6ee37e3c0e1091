"""The one runner of ffmpeg: progress while it runs, the telling line when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ffmpeg.processes import processes_naming
from vmaftune.errors import FfmpegError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg

_SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1"]
_NOWHERE = ["-f", "null", "-"]


def test_progress_ends_at_the_last_frame(ffmpeg: Ffmpeg) -> None:
    done: list[int] = []
    seconds, _ = process.run(ffmpeg.path, ["-re", *_SOURCE, *_NOWHERE], on_progress=done.append)
    assert done == sorted(done) and done[-1] == 25
    assert len(done) > 1, "it is told while ffmpeg runs"
    assert seconds > 0


@pytest.mark.parametrize(
    ("arguments", "telling"),
    [
        (["-i", "file:/nowhere/film.mkv", *_NOWHERE], "No such file or directory"),
        ([*_SOURCE, "-c:v", "libnothing", *_NOWHERE], "Unknown encoder 'libnothing'"),
        ([*_SOURCE, "-vf", "nofilter", *_NOWHERE], "No such filter: 'nofilter'"),
        ([*_SOURCE, "-c:v", "libx264", "-preset", "quick", *_NOWHERE], "Error setting preset"),
        ([*_SOURCE, "-nosuchoption", "1", *_NOWHERE], "nosuchoption"),
    ],
)
def test_the_first_error_is_told(arguments: list[str], telling: str, ffmpeg: Ffmpeg) -> None:
    with pytest.raises(FfmpegError) as error:
        process.run(ffmpeg.path, arguments)
    assert telling in error.value.reason
    assert "\n" not in error.value.reason and not error.value.reason.startswith("[")
    assert telling in error.value.stderr_tail


def test_an_interrupt_in_the_callback_ends_ffmpeg(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    written = tmp_path / "frames.txt"

    def interrupted(frames: int) -> None:
        raise KeyboardInterrupt

    endless = ["-re", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25", "-f", "framecrc", f"file:{written}"]
    with pytest.raises(KeyboardInterrupt):
        process.run(ffmpeg.path, endless, on_progress=interrupted)
    assert not processes_naming(written)


@pytest.mark.parametrize("program", ["/nowhere/ffmpeg", "/", "/etc/hostname", "bad\0name"])
def test_a_program_that_does_not_start(program: str) -> None:
    for call in (process.run, process.query):
        with pytest.raises(VmafTuneError, match="cannot start ffmpeg"):
            call(Path(program), ["-version"])


def test_a_crash_is_called_one(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    with pytest.raises(FfmpegError, match="ended by signal 11"):
        process.run(program, [])


def test_a_program_that_prints_without_end_of_line_or_sense(tmp_path: Path) -> None:
    """Bytes that are no text, and more of them than a pipe holds."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nhead -c 300000 /dev/urandom >&2\nprintf '\\n[error] told at last' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(FfmpegError):
        process.run(program, [])

"""The one runner of ffmpeg: progress while it runs, its last words when it fails, and no orphan when we end."""

from __future__ import annotations

import contextlib
import ctypes
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vmaftune.errors import FfmpegError, NoRoomError, VmafTuneError

ProgressCallback = Callable[[int], None]
"""Called with the number of frames that ffmpeg has done so far."""

_STDERR_LINES_KEPT = 60
_SECONDS_TO_END = 3.0
_PR_SET_PDEATHSIG = 1
_ADDRESS = re.compile(r"^(?:(?:\[[^\]]*\] )*\[(?:error|fatal|panic)\] |Svt\[error\]: |x265 \[error\]: )")
_WRAP_UP = re.compile(r"Task finished with error|Terminating thread|Error sending frames|Conversion failed")

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """In a child before exec: ask Linux to send it signal ``number`` should we be killed (prctl(2), PR_SET_PDEATHSIG)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)


def run(
    ffmpeg: Path, arguments: Sequence[str], *, on_progress: ProgressCallback | None = None
) -> tuple[float, list[str]]:
    """Run one ffmpeg command to its end.

    Args:
        ffmpeg: the program.
        arguments: everything after the options that every command of ours shares (quiet, no stdin, overwrite).
        on_progress: called from the calling thread, a few times a second, with the frames done.

    Returns:
        Wall time in seconds and the last lines of stderr (warnings).

    Raises:
        FfmpegError: ffmpeg ended with another status than 0.
        NoRoomError: the disk is full.
        VmafTuneError: the program could not be started.
    """
    command = [str(ffmpeg), "-hide_banner", "-nostdin", "-nostats", "-y"]
    command += ["-loglevel", "level+warning", "-progress", "pipe:1", "-stats_period", "0.25", *arguments]
    began = time.monotonic()
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=end_with_parent if _libc is not None else None,
        )
    except (OSError, ValueError) as error:
        raise VmafTuneError(f"cannot start ffmpeg at {ffmpeg}: {error}") from error
    with _ended(child):
        tail: deque[str] = deque(maxlen=_STDERR_LINES_KEPT)
        assert child.stdout is not None and child.stderr is not None
        reader = threading.Thread(target=_keep_tail, args=(child.stderr, tail), daemon=True)
        reader.start()
        for line in child.stdout:
            if on_progress is not None and line.startswith(b"frame="):
                on_progress(int(line[6:]))
        status = child.wait()
        reader.join()
    lines = list(tail)
    if status == -signal.SIGXFSZ or (status != 0 and any("No space left on device" in line for line in lines)):
        raise NoRoomError("no room on the disk for what ffmpeg writes")
    if status != 0:
        raise FfmpegError(_reason(lines, status), "\n".join(lines))
    return time.monotonic() - began, lines


def query(ffmpeg: Path, arguments: Sequence[str], *, timeout_seconds: float = 60.0) -> str:
    """What ffmpeg prints for an informational command such as ``-encoders``; empty when it fails.

    Raises:
        VmafTuneError: the program could not be started or did not answer in time.
    """
    command = [str(ffmpeg), "-hide_banner", "-nostdin", *arguments]
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds)
    except (OSError, ValueError) as error:
        raise VmafTuneError(f"cannot start ffmpeg at {ffmpeg}: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise VmafTuneError(f"{ffmpeg} did not answer within {timeout_seconds:.0f} s") from error
    return (answer.stdout + b"\n" + answer.stderr).decode("utf-8", "replace")


@contextlib.contextmanager
def _ended(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens inside, the child has ended and its pipes are closed afterwards."""
    try:
        yield
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def _keep_tail(stream: object, tail: deque[str]) -> None:
    with contextlib.suppress(ValueError):  # the pipe was closed under us: the run is over
        for line in stream:  # type: ignore[attr-defined]
            text = line.decode("utf-8", "replace").rstrip()
            if text and not text.startswith("Svt[info]"):
                tail.append(text)


def _reason(lines: Sequence[str], status: int) -> str:
    """The first error that ffmpeg reported: those after it are mostly its echoes."""
    errors = [_ADDRESS.sub("", line) for line in lines if _ADDRESS.match(line)]
    telling = [line for line in errors if not _WRAP_UP.search(line)]
    if status < 0:
        return f"ended by signal {-status} ({signal.strsignal(-status)})"
    return (telling or errors or [f"exit status {status}"])[0]

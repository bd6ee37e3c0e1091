"""The parent's side of a child process that does jobs."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from vmaftune.batch.messages import Job, Result, Step, WorkerLost
from vmaftune.json_text import decoded, encoded

_MAIN = "import sys; '' in sys.path and sys.path.remove(''); from vmaftune.batch.worker import main; main()"
_SECONDS_TO_END = 10.0
_STDERR_BYTES = 4000


class Child:
    """One process, which does job after job. It has a session of its own: an interrupt on the terminal is the parent's.

    Args:
        folder: that it works in; None: that of this process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _MAIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=folder,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """It can do jobs: it has not ended, as an idle one does after a while."""
        return self._process.poll() is None

    def perform(self, job: Job, tell: Callable[[Step], None]) -> Result:
        """Have one job done.

        Args:
            tell: told of its steps, in this thread.

        Raises:
            WorkerLost: the process ended before the job did.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(encoded(job) + b"\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if not line.endswith(b"\n"):
                    break
                if line.startswith(b"="):
                    return decoded(line[1:], Result)
                tell(decoded(line, Step))
        except (OSError, ValueError):  # a broken pipe, or one that end() closed
            pass
        raise WorkerLost(self._epitaph())

    def ask_to_end(self) -> None:
        """It begins to clear up."""
        self._process.terminate()

    def end(self) -> None:
        """End it and its ffmpeg, giving it time to clear up. May come twice."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_END)
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Free what is held of it, once it has ended and nobody waits for a job of it."""
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()

    def _epitaph(self) -> str:
        try:
            status = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "its process does not answer any more"
        if status < 0:
            hint = ": is there enough memory?" if status == -signal.SIGKILL else ""
            return f"its process was ended by signal {-status} ({signal.strsignal(-status)}){hint}"
        self._stderr.seek(0, 2)
        self._stderr.seek(max(0, self._stderr.tell() - _STDERR_BYTES))
        last = self._stderr.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"its process ended with status {status}{''.join(f': {line.strip()}' for line in last)}"

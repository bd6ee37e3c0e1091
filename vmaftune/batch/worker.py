"""A child process that does jobs: one line of JSON for each on standard input, steps and a result on standard output.

It ends with its parent, however that ends: the end of standard input is taken as SIGTERM, which unwinds, so that ffmpeg ends
and temporary files go.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading

from vmaftune.batch.messages import Job, Step
from vmaftune.batch.perform import perform
from vmaftune.ending import unwind_on_signals
from vmaftune.json_text import decoded, encoded

_SECONDS_TO_UNWIND = 8.0
_SECONDS_IDLE = 120.0


def main() -> None:
    """Do jobs until standard input ends, or nobody wants anything for a while."""
    unwind_on_signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a plugin prints is no answer

    def tell(step: Step) -> None:
        answers.write(encoded(step) + b"\n")
        answers.flush()

    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while (line := _next(lines)) is not None:
        job = decoded(line, Job)
        result = perform(job, tell)
        answers.write(b"=" + encoded(result) + b"\n")
        answers.flush()


def _next(lines: queue.SimpleQueue[bytes]) -> bytes | None:
    try:
        return lines.get(timeout=_SECONDS_IDLE)
    except queue.Empty:
        return None


def _read(lines: queue.SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        lines.put(line)
    last_resort = threading.Timer(_SECONDS_TO_UNWIND, os._exit, (1,))
    last_resort.daemon = True
    last_resort.start()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

"""The other end of vmaftune.testing.process."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from vmaftune.testing.check import described
from vmaftune.testing.process import Failed, Order, Report
from vmaftune.testing.subject import Installed, made
from vmaftune.testing.watch import watch


def main() -> None:
    """Take an order from a file, say that the plugin is made, wait for the end of standard input, and report."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a plugin prints is no answer
    try:
        _work(answers)
    except (Exception, SystemExit) as error:
        _tell(answers, Failed(described(error)))


def _work(answers: BinaryIO) -> None:
    order, arguments = pickle.loads(Path(sys.argv[1]).read_bytes())
    assert isinstance(order, Order)
    tempfile.gettempdir()  # finds out by writing, and only once
    watched = watch(order.folder, local_sockets=order.local_sockets)
    found = pickle.loads(order.spec)
    instance = made(found.load() if isinstance(found, Installed) else found, order.folder)
    _tell(answers, "made")
    sys.stdin.buffer.read()
    result = order.job(instance, *arguments)
    _tell(answers, Report(result, watched.writes, watched.reaches))


def _tell(answers: BinaryIO, answer: object) -> None:
    pickle.dump(answer, answers)
    answers.flush()


if __name__ == "__main__":
    main()

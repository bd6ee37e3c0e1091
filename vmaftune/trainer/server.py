"""``trainer serve`` without the command line: places taken, learner made, service run, places given back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from vmaftune.contract.learner import Learner
from vmaftune.ending import asked_to_end
from vmaftune.trainer.log import Log
from vmaftune.trainer.service import Service, ServiceOptions
from vmaftune.trainer.socketfile import listening, owned
from vmaftune.trainer.waiting import WaitingRoom

_SWITCH_SECONDS = 0.00005
"""How long the training thread may hold the interpreter while a client waits for its answer."""


def serve(
    socket: Path, folder: Path, waiting: Path, make_learner: Callable[[], Learner], options: ServiceOptions, log: Log
) -> NoReturn:
    """Serve at ``socket`` until SIGTERM, SIGINT or SIGHUP, then end the process with 0.

    Args:
        folder: of spool and learner.
        waiting: folder in which clients leave samples while no trainer runs.
        make_learner: called when the places are ours; may take seconds.

    Raises:
        UserError: a place is taken or cannot be used.
        OSError: the spool or a snapshot cannot be read or written.
        VmafTuneError: somebody removed the socket.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    for number in asked_to_end():
        signal.signal(number, _leave)
    with owned(folder / "service", "the folder"):
        service = Service(make_learner(), folder, WaitingRoom(waiting), options, log)
        service.prepare()
        with listening(socket) as listener:
            service.run(listener)
    # All is kept and closed. To tear torch down as well takes seconds on a busy host, of the five that it has.
    os._exit(0)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Before it listens it may end at any moment: what it has, it has from the disk."""
    raise SystemExit(0)

"""The service with a counting learner, as a process: ``python -m tests.trainer.serving '{"socket": …, "folder": …}'``."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import msgspec

from tests.trainer.counting import CountingLearner
from vmaftune.errors import VmafTuneError
from vmaftune.trainer.connection import ConnectionLimits
from vmaftune.trainer.log import Log
from vmaftune.trainer.server import serve
from vmaftune.trainer.service import ServiceOptions
from vmaftune.trainer.spool import SpoolLimits
from vmaftune.trainer.training import Pace


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Of one process. ``largest_file_bytes``: beyond it the system refuses to write, as a full disk does."""

    socket: str
    folder: str
    waiting: str
    step_seconds: float = 0.0
    fails: bool = False
    restore_seconds: float = 0.0
    durable: bool = True
    metrics_port: int | None = None
    metrics_file: str | None = None
    limits: ConnectionLimits = ConnectionLimits()
    pace: Pace = Pace()
    spool: SpoolLimits = SpoolLimits()
    largest_file_bytes: int | None = None


def main() -> None:
    setting = msgspec.json.decode(sys.argv[1], type=Setting)
    if setting.largest_file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (setting.largest_file_bytes, resource.RLIM_INFINITY))
    folder = Path(setting.folder)

    def make() -> CountingLearner:
        return CountingLearner(
            folder, setting.step_seconds, fails=setting.fails, restore_seconds=setting.restore_seconds
        )

    options = ServiceOptions(
        plugin="counting",
        durable=setting.durable,
        metrics_port=setting.metrics_port,
        metrics_file=None if setting.metrics_file is None else Path(setting.metrics_file),
        limits=setting.limits,
        pace=setting.pace,
        spool=setting.spool,
    )
    try:
        serve(Path(setting.socket), folder, Path(setting.waiting), make, options, Log())
    except VmafTuneError as error:
        sys.exit(f"vmaf-tune: {error}")


if __name__ == "__main__":
    main()

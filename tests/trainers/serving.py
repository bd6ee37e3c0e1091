"""The service with the real learner, as a process: ``python -m tests.trainers.serving '{"home": …, "socket": …}'``.

``home`` holds the folders ``trainer`` and ``models``; a checkpoint is due every 20 samples.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Of one process."""

    home: str
    socket: str
    batch: int = 4
    rehearsal: float = 1.0


def main() -> None:
    setting = msgspec.json.decode(sys.argv[1], type=Setting)
    home = Path(setting.home)
    os.environ["VMAFTUNE_MODELS"] = str(home / "models")
    from vmaftune_plugins.encoders import vmaftune_encoders
    from vmaftune_plugins.trainers.learner import SgdEmaLearner
    from vmaftune_plugins.trainers.sgd_ema_settings import Settings

    from vmaftune.trainer.log import Log
    from vmaftune.trainer.server import serve
    from vmaftune.trainer.service import ServiceOptions
    from vmaftune.trainer.training import Pace

    settings = Settings(batch=setting.batch, rehearsal=setting.rehearsal, checkpoint_minutes=0.0, checkpoint_samples=20)
    encoders = {spec.name: spec for spec in vmaftune_encoders()}
    folder, log = home / "trainer", Log()

    def make() -> SgdEmaLearner:
        return SgdEmaLearner(settings, folder, lambda text: log("learner", "warning", text=text), encoders)

    pace = Pace(look_seconds=0.05, snapshot_seconds=0.2, retry_seconds=0.2)
    options = ServiceOptions(plugin="sgd-ema-trainer", pace=pace)
    serve(Path(setting.socket), folder, home / "waiting", make, options, log)


if __name__ == "__main__":
    main()

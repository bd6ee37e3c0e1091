"""``vmaf-tune sidecar``: what corrections have learned on this host."""

from __future__ import annotations

import click

from vmaftune.cli.sidecar import config, look, plot, reset, share, teach


@click.group("sidecar")
def command() -> None:
    """What corrections such as ridge-sidecar have learned on this host: look at it, teach it, share it, forget it."""


for _command in (
    look.status,
    look.show,
    look.history,
    reset.reset,
    share.export,
    share.import_,
    teach.record,
    teach.replay,
    plot.plot,
    config.config,
):
    command.add_command(_command)

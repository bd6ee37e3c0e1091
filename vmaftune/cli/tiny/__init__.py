"""``vmaf-tune tiny``: small models that give VMAF from six of libvmaf's features."""

from __future__ import annotations

import click


@click.group("tiny")
def command() -> None:
    """Tiny full-reference models: make a corpus, train on it, evaluate."""


_COMMANDS: tuple[click.Command, ...] = ()
for _command in _COMMANDS:
    command.add_command(_command)

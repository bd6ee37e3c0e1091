"""``vmaf-tune tiny``: small models that give VMAF from six of libvmaf's features."""

from __future__ import annotations

import click

from vmaftune.cli.tiny import features, make_corpus


@click.group("tiny")
def command() -> None:
    """Tiny full-reference models: make a corpus, train on it, evaluate."""


for _command in (make_corpus.command, features.command):
    command.add_command(_command)

"""``vmaf-tune tiny``: small models that give VMAF from six of libvmaf's features."""

from __future__ import annotations

import click

from vmaftune.cli.tiny import eval, features, make_corpus, train


@click.group("tiny")
def command() -> None:
    """Tiny full-reference models: make a corpus, train on it, evaluate."""


for _command in (make_corpus.command, features.command, train.command, eval.command):
    command.add_command(_command)

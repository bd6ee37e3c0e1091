"""A command with commands of its own: ``batch FILES`` runs, ``batch status`` looks."""

from __future__ import annotations

import importlib
from typing import Any

import click

from vmaftune.cli.sections import SectionedCommand

_COMMANDS = {
    "status": "what the queue holds",
    "retry": "put failed files back into the queue",
    "export": "the results as CSV or JSON",
    "clear": "forget files that are done, or others",
}


class BatchCommand(SectionedCommand):
    """Runs a batch, unless the first argument is one of the commands; a file of such a name is given as ``./status``."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if not args or args[0] not in _COMMANDS:
            return super().make_context(info_name, args, parent, **extra)
        command: click.Command = getattr(importlib.import_module("vmaftune.cli.batch.look"), args[0])
        return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

"""Command lines of deploy/ held against the real command line of vmaf-tune."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from vmaftune.cli.main import cli
from vmaftune.host.manager import PluginManager


def parsed(command: Sequence[str]) -> dict[str, Any]:
    """The options that a command line gives.

    Raises:
        click.UsageError: a command or an option of it does not exist, or a value is wrong.
    """
    program, *rest = command
    assert program.rpartition("/")[2] == "vmaf-tune"
    if "--crf-search" in rest:
        rest.remove("--crf-search")
        rest.insert(0, "crf-search")
    found: click.Command = cli
    context = click.Context(cli, info_name="vmaf-tune")
    while isinstance(found, click.Group):
        name, *rest = rest or [""]
        inner = found.get_command(context, name)
        if inner is None:
            raise click.UsageError(f"no command {name!r} in {' '.join(command)}")
        found = inner
    return found.make_context(found.name, rest).params


def registered() -> set[str]:
    """Names that ``--plugin`` takes."""
    return {r.name for r in PluginManager().registrations if r.kind in ("correction", "trainer")}

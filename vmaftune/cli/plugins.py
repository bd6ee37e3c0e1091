"""``vmaf-tune plugins``: what is installed, what is on, and what keeps its contract."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.cli.plugins_check import command as check
from vmaftune.host.manager import Registration
from vmaftune.jobs.session import Session

_PIPE_WIDTH = 1000  # no row is broken where a program may read it


class PluginRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list. ``why_not`` says why it is not enabled."""

    name: str
    kind: str
    version: str
    distribution: str
    enabled: bool
    why_not: str


@click.group("plugins")
def command() -> None:
    """What is installed, what is on, and what keeps its contract."""


command.add_command(check)


@command.command("list")
@host_options
@json_option
def list_(**options: Any) -> None:
    """Every plugin with kind, version, distribution, and whether a run without flags uses it.

    \b
    vmaf-tune plugins list
    """
    session = Session(options)
    rows = [_row(r, session) for r in session.manager.registrations]
    if options["as_json"]:
        print_json(rows)
        return
    from rich.table import Table

    from vmaftune.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "kind", "version", "distribution", "enabled", "why not"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row.name, row.kind, row.version, row.distribution, "yes" if row.enabled else "no", row.why_not)
    console(sys.stdout, width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _row(registration: Registration, session: Session) -> PluginRow:
    why = registration.problem
    configured = session.config.enabled.get(registration.name, session.config.enabled.get(registration.plugin))
    if why is None and configured is False:
        why = "switched off in the configuration"
    if why is None and registration.kind in ("correction", "trainer") and configured is not True:
        why = f"switch it on with --plugin {registration.name}"
    if why is None and registration.kind == "predictor" and getattr(registration.spec, "default_rank", None) is None:
        why = f"name it with --predictor {registration.name}"
    return PluginRow(
        name=registration.name,
        kind=registration.kind,
        version=registration.version,
        distribution=registration.distribution,
        enabled=why is None,
        why_not=why or "",
    )

"""``vmaf-tune plugins check``: what keeps its contract, and what does not, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import click
import msgspec

from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.jobs.session import Session
from vmaftune.testing import Check, ContractError, NotChecked, checks_for

_SHOWN = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """How one check ended. ``why`` says what failed, or why it was not made; empty where it passed."""

    name: str
    check: str
    contract: str
    outcome: Literal["passed", "failed", "skipped"]
    why: str


@click.command("check")
@click.argument("name")
@host_options
@json_option
def command(**options: Any) -> int:
    """Hold the plugin or encoder NAME to its contract; exit code 1 where it does not keep it.

    \b
    vmaf-tune plugins check ridge-sidecar
    """
    session = Session(options)
    checks = checks_for(options["name"], manager=session.manager, ffmpeg=session.option("ffmpeg", None))
    rows = []
    for row in _made(checks):
        rows.append(row)
        if not options["as_json"]:
            click.echo(f"{_SHOWN[row.outcome]:<8} {row.name} {row.check}: {row.why or row.contract}")
    if options["as_json"]:
        print_json(rows)
    else:
        click.echo(_summary(rows))
    return int(any(row.outcome == "failed" for row in rows))


def _made(checks: Iterable[Check]) -> Iterator[CheckRow]:
    for check in checks:
        outcome: Literal["passed", "failed", "skipped"] = "passed"
        why = ""
        try:
            check()
        except ContractError as error:
            outcome, why = "failed", str(error)
        except NotChecked as error:
            outcome, why = "skipped", str(error)
        yield CheckRow(name=check.of, check=check.name, contract=check.contract, outcome=outcome, why=why)


def _summary(rows: list[CheckRow]) -> str:
    number = {outcome: sum(row.outcome == outcome for row in rows) for outcome in _SHOWN}
    return f"{len(rows)} checks: {', '.join(f'{number[outcome]} {outcome}' for outcome in _SHOWN)}"

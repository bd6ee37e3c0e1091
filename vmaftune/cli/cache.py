"""``vmaf-tune cache``: what is kept of earlier searches."""

from __future__ import annotations

import sqlite3
from typing import Any

import click

from vmaftune.cli.options import cache_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.errors import VmafTuneError
from vmaftune.host.pending import KIND
from vmaftune.jobs.session import Session


@click.group("cache")
def command() -> None:
    """What is kept of earlier searches: scored probes, features, what ffmpeg can do. Not what plugins have learned."""


@command.command("info")
@cache_options
@json_option
def info(**options: Any) -> None:
    """Where the cache is, how large, and what is in it.

    \b
    vmaf-tune cache info
    """
    session = Session({**options, "cache": True})
    path = session.store.path
    counts = session.store.counts()
    size = path.stat().st_size if path is not None and path.is_file() else 0
    if options["as_json"]:
        print_json({"path": str(path), "bytes": size, "records": counts})
        return
    click.echo(f"{path}  {size / 1e6:.1f} MB")
    for kind, count in counts.items():
        click.echo(f"{count:8d}  {kind}")


@command.command("clear")
@cache_options
def clear(**options: Any) -> None:
    """Forget all of it. What plugins have learned stays, and what they are still to learn of a run that was killed.

    \b
    vmaf-tune cache clear
    """
    session = Session({**options, "cache": True})
    if not session.store.lasting:
        raise VmafTuneError("nothing was cleared; name the folder with --cache-dir")
    try:
        click.echo(f"{session.store.clear(keep=KIND)} records removed from {session.store.path}")
    except sqlite3.Error as error:
        raise VmafTuneError(f"cannot clear {session.store.path}: {error}") from error

"""``vmaf-tune cache``: what is kept of earlier searches."""

from __future__ import annotations

import sqlite3
from typing import Any

import click
import msgspec

from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.session import Session
from vmaftune.errors import VmafTuneError


@click.group("cache")
def command() -> None:
    """What is kept of earlier searches: scored probes, features, what ffmpeg can do. Not what plugins have learned."""


@command.command("info")
@host_options
@json_option
def info(**options: Any) -> None:
    """Where the cache is, how large, and what is in it."""
    session = Session(options)
    path = session.store.path
    counts = session.store.counts()
    size = path.stat().st_size if path is not None and path.is_file() else 0
    if options["as_json"]:
        click.echo(msgspec.json.encode({"path": str(path), "bytes": size, "records": counts}).decode())
        return
    click.echo(f"{path}  {size / 1e6:.1f} MB")
    for kind, count in counts.items():
        click.echo(f"{count:8d}  {kind}")


@command.command("clear")
@host_options
def clear(**options: Any) -> None:
    """Forget all of it. What plugins have learned stays."""
    session = Session(options)
    if session.store.problem:
        raise VmafTuneError("nothing was cleared")
    try:
        click.echo(f"{session.store.clear()} records removed from {session.store.path}")
    except sqlite3.Error as error:
        raise VmafTuneError(f"cannot clear {session.store.path}: {error}") from error

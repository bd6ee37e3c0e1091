"""What goes to standard output for programs to read."""

from __future__ import annotations

import json

import click
import msgspec


def print_json(value: object) -> None:
    """One object on one line."""
    click.echo(json_line(value))


def json_line(value: object) -> str:
    """One line of JSON; a file name that is not UTF-8 keeps its bytes as lone surrogates, as Python has them."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value))

"""What goes to standard output and to files, for programs to read and for people."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from vmaftune.json_text import encoded
from vmaftune.state.output import check_output, write_output

_CSV = "--csv"


def print_json(value: object) -> None:
    """One object on one line."""
    click.echo(json_line(value))


def json_line(value: object) -> str:
    """One line of JSON."""
    return encoded(value).decode()


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table: the first column to the left, all others to the right."""
    first, *others = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(first), *(text.rjust(width) for text, width in zip(row[1:], others, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def say(text: str) -> None:
    """A line beside the result, of a run that is ending; none where the terminal was closed."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def check_csv(path: Path | None) -> None:
    """To be asked before the work that it holds. Raises: as vmaftune.state.output.check_output."""
    if path is not None:
        check_output(path, _CSV)


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table whole. Raises: as vmaftune.state.output.write_output."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    write_output(path, text.getvalue().encode("utf-8", "surrogateescape"), _CSV)

"""How ``vmaf-tune sidecar`` shows numbers and tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from rich.table import Table
from rich.text import Text

from vmaftune.cli.console import console
from vmaftune.quality.scale import Scale

_PIPE_WIDTH = 1000  # no row is broken where a program may read it
_COLOURS = {"healthy": "green", "drifting": "red", "stale": "yellow", "old": "dim"}


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str | Text]], right: Iterable[str] = ()) -> None:
    """One table on standard output; columns named in ``right`` are numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="right" if heading in set(right) else "left")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console(sys.stdout, width=width).print(table)


def coloured(status: str) -> Text:
    """A status in its colour, where there are colours."""
    return Text(status, style=_COLOURS.get(status, ""))


def of_scale(scale: Scale) -> str:
    """What is put after a version for people; nothing for the usual scale."""
    return "" if scale.usual else f" ({scale})"


def vmaf(value: float | None, sign: bool = False) -> str:
    """A score to two digits; a dash for none."""
    return "-" if value is None else f"{value:+.2f}" if sign else f"{value:.2f}"


def moment(unix_seconds: float | None) -> str:
    """A time as people of this host write it; a dash for none."""
    if unix_seconds is None:
        return "-"
    return datetime.fromtimestamp(unix_seconds, timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M")


def size(count: int) -> str:
    """Bytes in kB."""
    return f"{count / 1000:.1f} kB"


def counted(count: int, what: str) -> str:
    """``1 capture``, ``2 captures``."""
    return f"{count} {what}{'' if count == 1 else 's'}"

"""Files and folders that a batch is given, looked at before anything is queued: what cannot be is refused at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vmaftune.errors import UserError
from vmaftune.jobs.containers import CONTAINERS
from vmaftune.media.facts import shown
from vmaftune.nearest import nearest

_TABLES = (".txt", ".tsv", ".json", ".jsonl", ".xls", ".xlsx", ".ods", ".list")


def check_source(path: Path) -> None:
    """Raise UserError unless ``path`` is a file that can be read and may be a video. Its content is not looked at."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"cannot open {shown(path)}: {why}{_meant(path)}; nothing was queued") from error
    if not stat.S_ISREG(mode):
        raise UserError(f"{shown(path)} is no file: name a video, or a folder of them; nothing was queued")
    if not os.access(path, os.R_OK):
        raise UserError(f"cannot open {shown(path)}: it may not be read; nothing was queued")
    if path.suffix.lower() in _TABLES:
        raise UserError(f"{shown(path)} is no video, and a table of videos ends in .csv; nothing was queued")


def check_output(output: Path, root: Path) -> None:
    """Raise UserError unless ``output`` is a name for an encode that lies in ``root`` or below it, links resolved."""
    if output.suffix.lower() not in CONTAINERS:
        raise UserError(f"output {shown(output.name)}: name one that ends in {', '.join(CONTAINERS)}")
    if output.is_dir():
        raise UserError(f"output {shown(output)} is a folder; name a file")
    if not Path(os.path.realpath(output.parent)).is_relative_to(os.path.realpath(root)):
        raise UserError(f"output {shown(output)} lies outside of {shown(root)}: a table names outputs within it alone")


def check_folder(folder: Path) -> None:
    """Raise UserError unless encodes can be written to ``folder``, which is made where it is not there."""
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise UserError(
            f"{shown(there)} is no folder: encodes cannot be written to {shown(folder)}; name another with -o"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{shown(there)} cannot be written to: name a folder for the encodes with -o")


def _meant(path: Path) -> str:
    """A name beside it that is nearly the same."""
    try:
        near = nearest(path.name, [other.name for other in path.parent.iterdir()], least=0.75)
    except (OSError, ValueError):
        return ""
    return "" if near is None else f" (did you mean {shown(path.parent / near)}?)"

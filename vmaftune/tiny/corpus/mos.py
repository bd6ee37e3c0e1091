"""Subjective scores of whole clips, as targets in place of VMAF."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.state.regular import open_regular

_COLUMNS = ("clip", "mos")


def read_mos(path: Path, clips: Sequence[str]) -> dict[str, float]:
    """Mean opinion scores by clip, from a CSV file with the columns clip and mos.

    Args:
        clips: names of the distorted files, without suffix; in the file they may have one. What else it names is passed over.

    Raises:
        UserError: it cannot be read, a value is no number, or a clip has none or two.
    """
    scores: dict[str, float] = {}
    wanted = set(clips)
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            if not set(_COLUMNS) <= set(reader.fieldnames or ()):
                raise UserError(f"{shown(path)}: its first line must name the columns clip,mos")
            for row in reader:
                place = f"{shown(path)}, line {reader.line_num}"
                named = (row["clip"] or "").strip()
                name = named if named in wanted else Path(named).stem
                if name in scores:
                    raise UserError(f"{place}: {shown(name)} is named twice")
                scores[name] = _number(row["mos"], place)
    except OSError as error:
        raise UserError(f"cannot open {shown(path)}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{shown(path)} is no table of scores: {error}") from error
    missing = [name for name in clips if name not in scores]
    if missing:
        raise UserError(
            f"{shown(path)} has no score of {shown(missing[0])} ({len(missing)} of {len(clips)} clips have none)"
        )
    return {name: scores[name] for name in clips}


def _number(text: str | None, place: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{place}: mos {shown(text or '')!r} is not a number")
    return value

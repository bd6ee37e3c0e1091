"""Amounts in words that a person reads at a glance, and commands that a person can copy."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from vmaftune.media.facts import shown


def size(size_bytes: float) -> str:
    """``812 B``, ``1.2 MB``, ``34 GB`` (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size_bytes < 999.5 or unit == "TB":
            break
        size_bytes /= 1000.0
    return f"{size_bytes:.0f} {unit}" if unit == "B" or size_bytes >= 10 else f"{size_bytes:.1f} {unit}"


def lasting(seconds: float) -> str:
    """``0.4 s``, ``39 s``, ``2 min 5 s``, ``3 h 20 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def clock(seconds: float, *, fine: bool = False) -> str:
    """A place in a film: ``1:02:03``, ``0:07``; with hundredths where ``fine``."""
    hundredths = round(seconds * 100) if fine else round(seconds) * 100
    whole, part = divmod(hundredths, 100)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text}.{part:02}" if fine else text


def rate(kbps: float) -> str:
    """``640 kb/s``, ``5.05 Mb/s``."""
    return f"{kbps:.0f} kb/s" if kbps < 2000 else f"{kbps / 1000:.2f} Mb/s"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 frame``, ``1,200 frames``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def name(path: Path | str) -> str:
    """The last part of a file name, in one line of characters that can be shown."""
    return shown(Path(path).name)


def command(text: str) -> str:
    """A shell command in which every character can be shown: what cannot (a line break in a file name, a byte that is
    no UTF-8, marks that turn the direction of writing) is quoted as bash's ``$'...'``."""
    return " ".join(_quoted(argument) for argument in shlex.split(text))


def _quoted(argument: str) -> str:
    if argument.isprintable():
        return shlex.quote(argument)
    raw = argument.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + re.sub(r"[^\x20-\x7e]", lambda m: _escaped(m[0]), raw) + "'"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))

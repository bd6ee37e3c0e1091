"""A page: what stands at its top and the sections below, rendered to one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vmaftune import __version__
from vmaftune.errors import UserError
from vmaftune.state.output import check_output, write_output

_TEMPLATES = Path(__file__).parent / "templates"
_SUFFIXES = (".html", ".htm")
# Characters of names that would show nothing, or turn the direction of what stands beside them, and bytes that are no UTF-8.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One of the few figures at the top: what it is of, the figure, and what else there is to say of it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a page.

    Attributes:
        title: its heading.
        template: file of ``templates/`` that shows it, without suffix.
        content: what the template knows as ``it``.
    """

    title: str
    template: str
    content: Any


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        title: the result, in a few words; the heading.
        subject: what it is the result of, such as a file name; shown above the heading.
        job: the command, such as ``crf-search``.
        good: whether what was asked for was reached.
        lead: the result in sentences.
        tiles, sections: figures and parts.
    """

    title: str
    subject: str
    job: str
    good: bool
    lead: Sequence[str]
    tiles: Sequence[Tile]
    sections: Sequence[Section]


def check_page(file: Path | None, option: str = "--report") -> None:
    """Raise UserError unless a page can be written to ``file``; to be asked before the work that it shows.

    Args:
        option: that named the file, for errors.
    """
    if file is None:
        return
    if file.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{option} {file}: name a file that ends in {' or '.join(_SUFFIXES)}")
    check_output(file, option)


def write_page(page: Page, file: Path, option: str = "--report") -> None:
    """Render a page to a file, whole or not at all.

    Raises: as vmaftune.state.output.write_output.
    """
    write_output(file, rendered(page), option)


def rendered(page: Page, made: datetime | None = None) -> bytes:
    """The page as HTML in UTF-8.

    The page's policy forbids it to load anything and to run any script but its own few lines, whatever a file is called.

    Args:
        made: what it says of when it was made; None says now.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (_TEMPLATES / "page.js").read_text("utf-8")
    html = environment.get_template("page.html").render(
        page=page,
        style=(_TEMPLATES / "page.css").read_text("utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        made=(made or datetime.now().astimezone()).strftime("%Y-%m-%d %H:%M %Z"),
    )
    return _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], html).encode()

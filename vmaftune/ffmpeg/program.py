"""Which program a person means by a name."""

from __future__ import annotations

import os
from pathlib import Path


def program_path(named: str | Path, folder: Path | None = None) -> Path:
    """The program that a person named: a bare name as it is, to be looked up on PATH; anything else is that very file.

    ``Path`` alone would make ``ffmpeg`` of ``./ffmpeg``. Links are not followed: some programs act by the name of theirs.

    Args:
        named: as it was written.
        folder: that a relative path is relative to; None is the current one.
    """
    text = os.fspath(named)
    if not any(separator in text for separator in (os.sep, os.altsep) if separator):
        return Path(text)
    return (Path(text) if folder is None else folder / text).absolute()

"""Files that a person named to be written: tried before the work that they hold, and written whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from vmaftune.errors import UserError, file_error
from vmaftune.state import atomic


def check_output(path: Path, option: str) -> None:
    """To be asked before the work.

    Args:
        option: that named the file, for errors.

    Raises:
        UserError: there can be no such file.
        VmafTuneError: the disk does not take it.
    """
    what = f"cannot write {option} {path}"
    try:
        if path.is_dir():
            raise UserError(f"{what}: it is a directory")
        if not path.exists() or path.is_file():
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise file_error(what, error) from error


def write_output(path: Path, content: bytes, option: str) -> None:
    """Write it. Args, Raises: as check_output."""
    try:
        atomic.write(path, content)
    except OSError as error:
        raise file_error(f"cannot write {option} {path}", error) from error

"""A full disk, told with the folder that is on it and with what a person can do."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vmaftune.errors import NoRoomError


def way_out(parent: Path | None) -> str:
    """What to do about a folder without room.

    Args:
        parent: folder of an output; None for the system's temporary folder.
    """
    return "set TMPDIR to a folder with room" if parent is None else "name an output on a disk with room"


@contextmanager
def room_told(parent: Path | None) -> Iterator[None]:
    """Where a disk is found full in here, the error names the folder. Args: as way_out.

    Raises:
        NoRoomError: as raised in here, with its folder.
    """
    try:
        yield
    except NoRoomError as error:
        if error.placed:
            raise
        where = tempfile.gettempdir() if parent is None else parent
        raise NoRoomError(f"{error} in {where}; {way_out(parent)}", placed=True) from error

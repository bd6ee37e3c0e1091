"""A full disk is told with the folder that is full and with what helps there."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.errors import NoRoomError
from vmaftune.state.workspace import workspace


def test_the_folder_of_an_output_is_not_the_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary := tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(NoRoomError, match=f"^no room in {temporary}; set TMPDIR to a folder with room$"), workspace():
        raise NoRoomError("no room")
    (output := tmp_path / "out").mkdir()
    said = f"^no room in {output}; name an output on a disk with room$"
    with pytest.raises(NoRoomError, match=said), workspace(), workspace(output):
        raise NoRoomError("no room")

"""A registry of the user's own in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder; it is not there yet."""
    folder = tmp_path / "models"
    monkeypatch.setenv("VMAFTUNE_MODELS", str(folder))
    return folder

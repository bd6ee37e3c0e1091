"""What becomes of these tests where nothing can be trained."""

from __future__ import annotations

from pathlib import Path

from tests.training import conftest as training


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """tests/training/test_needed.py says what is missing."""
    return True if training.missing() and collection_path.name != "train" else None

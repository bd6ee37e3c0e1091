"""One small predictor for all tests, and what becomes of them where it cannot be trained."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.training.build import RANGES, SMALL, made_rows
from vmaftune.corpus.rows import CorpusRow

if TYPE_CHECKING:
    from vmaftune.training.predictor import TrainedPredictor

NEEDED = ("torch", "onnx", "scipy", "matplotlib")


def missing() -> bool:
    """Whether something is that training needs."""
    return any(importlib.util.find_spec(module) is None for module in NEEDED)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Where something is missing, test_needed.py alone is left, to say so."""
    return True if missing() and collection_path.name not in ("test_needed.py", "training") else None


@pytest.fixture(scope="session")
def rows() -> list[CorpusRow]:
    """Some of what a curve is, no feature tells."""
    return made_rows(noise=0.15)


@pytest.fixture(scope="session")
def trained(rows: list[CorpusRow]) -> TrainedPredictor:
    from vmaftune.training.predictor import train_predictor

    return train_predictor(rows, RANGES, seed=1, design=SMALL)

"""The tiny models that come with vmaf-tune: what the registry says of them is so."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import numpy as np
import pytest

from vmaftune import models
from vmaftune.models.full_reference import CANONICAL_6, open_tiny_model
from vmaftune.tiny.evaluate import said_of
from vmaftune.tiny.table import FrameTable
from vmaftune.tiny.tablefile import read_table

PARAMETERS = {"vmaf_tiny_v1": 257, "vmaf_tiny_v1_medium": 2561, "vmaf_tiny_v2": 257, "vmaf_tiny_v3": 4673}


@pytest.fixture(scope="module")
def table() -> FrameTable:
    path = Path(str(importlib.resources.files("vmaftune_models"))) / models.find("vmaf_tiny_v2").data
    if not path.exists():
        pytest.skip("the data of shipped models is not installed")
    return read_table(path)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_registry_and_the_file_agree(name: str) -> None:
    entry = models.find(name)
    assert (entry.kind, entry.opset, entry.quant_mode, entry.smoke, entry.origin) == (
        "fr",
        17,
        "fp32",
        False,
        "shipped",
    )
    contract = open_tiny_model(name)[0].contract
    assert contract is not None and contract.parameters == PARAMETERS[name] and contract.features == CANONICAL_6


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_card_tells_how_each_source_was_held_out(name: str, table: FrameTable) -> None:
    entry = models.find(name)
    assert entry.card is not None
    card = models.read(entry, entry.card).decode()
    assert "## Leave-one-source-out" in card and f"({len(table.source_names)} networks)" in card
    assert all(f"| {source} |" in card for source in table.source_names)
    assert entry.sha256 in card and f"{entry.metrics['rmse_vmaf']:.3f} ±" in card


def test_the_claims_are_those_asked_for(table: FrameTable) -> None:
    v2, v3 = (models.find(f"vmaf_tiny_{version}").metrics for version in ("v2", "v3"))
    assert len(table.source_names) >= 40 and table.scores.min() < 20.0 and table.scores.max() == 100.0
    assert v2["plcc"] >= 0.9997 and v2["rmse_vmaf"] <= 0.35
    assert v3["rmse_vmaf"] <= 0.16 and v3["rmse_vmaf"] < v2["rmse_vmaf"]


@pytest.mark.parametrize(("name", "most"), [("vmaf_tiny_v2", 0.2), ("vmaf_tiny_v3", 0.12)])
def test_the_shipped_weights_repeat_their_teacher(name: str, most: float, table: FrameTable) -> None:
    """On what they learned from, so no claim; but a file that was mixed up would not."""
    error = said_of(open_tiny_model(name)[0], table) - table.scores
    assert np.sqrt(np.mean(error**2)) < most


def test_v1_never_saw_the_source_that_its_card_names(table: FrameTable) -> None:
    for name in ("vmaf_tiny_v1", "vmaf_tiny_v1_medium"):
        entry = models.find(name)
        assert entry.card is not None
        _, _, after = models.read(entry, entry.card).decode().partition("The weights never saw ")
        assert after.partition(".")[0] in table.source_names

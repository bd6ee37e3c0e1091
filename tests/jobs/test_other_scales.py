"""Searches of other scales than predictors know begin from the nearest one's curve, say so, and find their target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clips
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search import run_search
from vmaftune.jobs.session import Session


@pytest.fixture(scope="session")
def grainy(clips: Clips) -> Path:
    return clips.lavfi("grainy.mkv", "testsrc2=size=320x180:rate=25:duration=0.5,noise=alls=10:allf=t,format=yuv420p")


@pytest.mark.parametrize(
    ("asked", "target", "tolerance", "predictor", "name"),
    [
        ({"vmaf_model": "vmaf_v1.0.16_3d0h", "preset": "medium"}, 88.0, 1.0, "mlp", "vmaf_v1.0.16_3d0h"),
        ({"metric": "xpsnr", "preset": "ultrafast"}, 36.0, 0.4, "population", "xpsnr"),
    ],
    ids=["v1", "xpsnr"],
)
def test_a_search_of_another_scale(
    asked: dict[str, Any], target: float, tolerance: float, predictor: str, name: str, grainy: Path, tmp_path: Path
) -> None:
    fixed = {"encoder": "libx264", "cache_dir": tmp_path, "cache": False}
    session = Session({**fixed, **asked, "min_score": target, "tolerance": tolerance})
    said = f"the prior of {name} is made from that of vmaf_v0.6.1"
    report = run_search(session, grainy, JobObserver())
    assert report.target_met and report.predictor.startswith(f"{predictor}@")
    assert any(note.startswith(said) for note in report.notes), report.notes
    assert report.probe_count <= 8

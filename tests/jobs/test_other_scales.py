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
    ("asked", "target", "tolerance", "said"),
    [
        (
            {"vmaf_model": "vmaf_v1.0.16_3d0h"},
            88.0,
            1.0,
            "the prior of vmaf_v1.0.16_3d0h is made from that of vmaf_v0.6.1",
        ),
        ({"metric": "xpsnr"}, 36.0, 0.4, "the prior of xpsnr is made from that of vmaf_v0.6.1"),
    ],
    ids=["v1", "xpsnr"],
)
def test_a_search_of_another_scale(
    asked: dict[str, Any], target: float, tolerance: float, said: str, grainy: Path, tmp_path: Path
) -> None:
    session = Session(
        {
            **{"encoder": "libx264", "preset": "ultrafast", "cache_dir": tmp_path, "cache": False, **asked},
            **{"min_vmaf": target, "tolerance": tolerance},
        }
    )
    report = run_search(session, grainy, JobObserver())
    assert report.target_met and report.predictor.startswith("population@")
    assert any(note.startswith(said) for note in report.notes), report.notes
    assert report.probe_count <= 8

"""A banded source scores below 100 against itself by v1, and a target above that is told so, with that score."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Clips
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import not_met
from vmaftune.jobs.session import Session


@pytest.fixture(scope="session")
def banded(clips: Clips) -> Path:
    """A dark ramp of few levels over the whole width, which moves slowly: steps of many pixels in 8 bits."""
    steps = "lum='40+floor((X+3*N)/48)':cb=128:cr=128"
    return clips.lavfi("banded.mkv", f"color=gray:size=480x270:rate=25:duration=0.48,format=yuv420p,geq={steps}")


def test_a_target_that_the_source_itself_does_not_reach_is_told_with_its_score(banded: Path) -> None:
    options = {"vmaf_model": "vmaf_v1.0.16_3d0h", "vmaf_scale": "none", "encoder": "libx264", "preset": "ultrafast"}
    session = Session({**options, "min_vmaf": 99.9, "max_probes": 2, "cache": False}, lambda line: None)
    report = run_search(session, banded, JobObserver())
    assert not report.target_met
    assert report.source_vmaf is not None and report.vmaf <= 100.0
    assert 50 < report.source_vmaf < 99.5
    said = not_met(report)
    assert "VMAF 99.9 cannot be met: the source scored against itself" in said
    assert f"gets {report.source_vmaf:.2f}" in said

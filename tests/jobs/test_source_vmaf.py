"""A target that not even the source reaches against itself is said to be one, with that score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clips
from vmaftune.errors import TargetError
from vmaftune.jobs.compare import Candidate, run_compare
from vmaftune.jobs.encode import run_encode
from vmaftune.jobs.ladder import run_ladder
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.score import run_score
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import not_met
from vmaftune.jobs.session import Session
from vmaftune.report.search import lead

_SAID = r"VMAF 98 cannot be met: the source scored against itself, as a lossless encode would be, gets 97\.4\d"


def _session(**options: Any) -> Session:
    fast = {"encoder": "libx264", "preset": "ultrafast", "cache": False, "vmaf_scale": "none", "min_vmaf": 98.0}
    return Session({**fast, **options}, print)


@pytest.fixture(scope="session")
def black(clips: Clips) -> Path:
    return clips.lavfi("black.mkv", "color=black:size=96x64:rate=25:duration=0.6")


def test_a_search_says_so_with_the_score_of_the_source(black: Path) -> None:
    report = run_search(_session(), black, JobObserver())
    own = run_score(_session(), black, black, {}, per_frame=False)
    assert not report.target_met and report.source_vmaf == pytest.approx(own.vmaf, abs=1e-4)
    assert not_met(report).startswith("VMAF 98 cannot be met: the source scored against itself")
    assert any("gets 97.4" in line for line in lead(report))


def test_an_encode_ends_with_exit_code_3(black: Path, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=_SAID):
        run_encode(_session(), black, tmp_path / "out.mkv", JobObserver())
    assert not list(tmp_path.iterdir())


def test_an_encode_shot_by_shot_too(black: Path, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=_SAID):
        run_encode(_session(per_shot=True), black, tmp_path / "out.mkv", JobObserver())


def test_a_ladder_too(black: Path) -> None:
    with pytest.raises(TargetError, match=_SAID):
        run_ladder(_session(), black, [32], 1, 4.0, JobObserver())


def test_a_comparison_too(black: Path) -> None:
    candidates = [Candidate(encoder="libx264", preset=preset) for preset in ("ultrafast", "superfast")]
    report = run_compare(_session(), black, candidates, JobObserver(), curves=False)
    assert all(
        "nothing can: the source scored against itself" in e.missed(report.measure, report.target)
        for e in report.encodes
    )


def test_the_users_filter_is_part_of_the_source(black: Path) -> None:
    report = run_search(_session(vfilter="crop=64:48,trim=end_frame=5", min_vmaf=99.5), black, JobObserver())
    assert report.source_vmaf is not None and 90 < report.source_vmaf < 99.5


def test_a_source_that_could_get_more_is_not_blamed(clips: Clips) -> None:
    film = clips.lavfi("moving.mkv", "testsrc2=size=96x64:rate=25:duration=0.6")
    report = run_search(_session(min_crf=30.0, max_probes=2), film, JobObserver())
    assert not report.target_met and report.source_vmaf is not None and report.source_vmaf > 98
    assert "against itself" not in not_met(report)


def test_a_target_that_is_met_costs_no_second_score(clips: Clips) -> None:
    film = clips.lavfi("moving.mkv", "testsrc2=size=96x64:rate=25:duration=0.6")
    assert run_search(_session(min_vmaf=60.0), film, JobObserver()).source_vmaf is None

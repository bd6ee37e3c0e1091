"""Searches by several scales on one clip: what each learns is what it learns alone; a filtered one learns nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SIDECAR, USUAL, Program, ffmpeg
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session

QUICK = (*USUAL, "--tolerance", "20", "--min-crf", "20", "--max-crf", "26")
SCALES: dict[str, dict[str, Any]] = {
    "vmaf_v0.6.1": {"min_score": 70.0},
    "vmaf_v0.6.1~p5": {"min_score": 60.0, "pool": "p5"},
    "vmaf_v0.6.1neg": {"min_score": 65.0, "vmaf_model": "vmaf_v0.6.1neg"},
    "vmaf_v1.0.16_3d0h~10bit": {"min_score": 66.0, "vmaf_model": "vmaf_v1.0.16_3d0h"},
    "xpsnr~8bit": {"min_score": 25.0, "metric": "xpsnr"},
}
ORDERS = [list(SCALES), list(reversed(SCALES)), [list(SCALES)[place] for place in (1, 4, 0, 3, 2)]]
FILTERED = "ridge-sidecar takes no part, and nothing is learned: a filter of yours"


def _search(program: Program, clip: Path, scale: str) -> SearchReport:
    """In this process: what is looked at is what it learns."""
    quick = {"encoder": "libx264", "preset": "ultrafast", "min_crf": 20.0, "max_crf": 26.0, "tolerance": 20.0}
    options = {**quick, **SCALES[scale], "plugins": ["ridge-sidecar"], "cache_dir": program.cache}
    session = Session(options)
    try:
        return run_search(session, clip, JobObserver())
    finally:
        session.store.close()


def _states(program: Program) -> dict[str, Any]:
    """What was learned by the scale it is of, without times, the host's identifier, and the checksum of these."""
    found: dict[str, Any] = {}
    for path in program.cache.glob("sidecar/*/*/state.json"):
        state = json.loads(path.read_bytes())
        del state["host_uuid"], state["checksum"]
        state["history"] = [row[:-1] for row in state["history"]]
        found[path.parts[-3].partition("~")[2] or "vmaf_v0.6.1"] = state
    return found


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames, as large as VMAF v1 has to have them."""
    file = tmp_path_factory.mktemp("picture") / "clip.mkv"
    ffmpeg(
        "-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=24", "-frames:v", "12", "-c:v", "libx264", "-crf", "8", file
    )
    return file


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, picture: Path) -> dict[str, Any]:
    """State of each scale on a host that was asked for no other."""
    found: dict[str, Any] = {}
    for scale in SCALES:
        program = Program(home=tmp_path_factory.mktemp("alone"))
        _search(program, picture, scale)
        (of, state) = next(iter(_states(program).items()))
        assert of == scale and len(_states(program)) == 1 and state["history"]
        found |= _states(program)
    return found


@pytest.mark.parametrize("order", ORDERS, ids=["as listed", "reversed", "mixed"])
def test_each_scale_learns_what_it_learns_alone(
    alone: dict[str, Any], program: Program, picture: Path, order: list[str]
) -> None:
    for scale in order:
        assert _search(program, picture, scale).plugins[0].took_part
    assert _states(program) == alone


def test_a_search_goes_the_same_way_whatever_was_searched_before(program: Program, clip: Path, tmp_path: Path) -> None:
    """By another pool, whose probes are of the same encodes: what was encoded is used again, and not known beforehand."""
    (program.home / "vmaf-tune.toml").write_text("[plugins.ridge-sidecar]\nminimum-sources = 1\n")
    line = ("crf-search", "-i", clip, *USUAL, *SIDECAR, "--json", "--max-probes", "5")
    p5 = ("--min-vmaf", "85", "--pool", "p5")
    alone = program(*line, *p5).json
    states = _states(program)
    shutil.rmtree(program.cache)
    assert program(*line, "--min-vmaf", "92").code == 0
    after = program(*line, *p5).json
    assert after["crf"] == alone["crf"] and after["curve"] == alone["curve"]
    verified = [
        [(p["crf"], p["vmaf"]) for p in report["probes"] if p["purpose"] == "verify"] for report in (alone, after)
    ]
    assert verified[0] == verified[1]
    assert _states(program)["vmaf_v0.6.1~p5"] == states["vmaf_v0.6.1~p5"]


def test_what_is_asked_for_in_other_words_is_the_usual_scale(program: Program, clip: Path) -> None:
    same = ("--vmaf-scale", "1920x1080", "--vmaf-model", "vmaf_v0.6.1", "--pool", "mean")
    assert program("crf-search", "-i", clip, *QUICK, "--min-vmaf", "70", *SIDECAR, *same).code == 0
    assert set(_states(program)) == {"vmaf_v0.6.1"}


@pytest.mark.parametrize("how", ["search", "crf", "shots", "compare", "batch"])
def test_jobs_learn_under_their_scale(program: Program, clip: Path, tmp_path: Path, how: str) -> None:
    small = ("--vmaf-scale", "320x180", *SIDECAR)
    encode = ("encode", "-i", clip, "-o", tmp_path / "out.mkv")
    target = ("--min-vmaf", "70", "--tolerance", "20", "--min-crf", "20", "--max-crf", "26")
    line: tuple[str | Path, ...] = {
        "search": (*encode, *USUAL, *target),
        "crf": (*encode, *USUAL, "--crf", "22", "--final-score"),
        "shots": (*encode, *USUAL, *target, "--per-shot"),
        "compare": (
            "compare",
            "-i",
            clip,
            "-e",
            "libx264:ultrafast",
            "-e",
            "libx264:superfast",
            *target[:4],
            "--no-bd-rate",
        ),
        "batch": ("batch", clip, "--search-only", *USUAL, *target),
    }[how]
    ended = program(*line, *small, "--json")
    assert ended.code == 0, ended.err
    assert set(_states(program)) <= {"vmaf_v0.6.1~320x180"}  # shots alone may teach nothing
    assert _states(program) or how == "shots"


def test_a_filtered_search_teaches_nothing_and_a_line_says_so(program: Program, clip: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = program(
        *("crf-search", "-i", clip, *QUICK, "--min-vmaf", "70", *SIDECAR, "--vfilter", "crop=160:90"),
        *("--json", "--report", page),
    )
    report = ended.json
    assert sum(FILTERED in line for line in ended.err.splitlines()) == 1 and FILTERED in report["notes"][-1]
    assert FILTERED in page.read_text()
    assert report["probe_count"] and report["plugins"][0]["took_part"] is False and _states(program) == {}
    report = program("predict", "-i", clip, *USUAL, *SIDECAR, "--vfilter", "crop=160:90", "--json").json
    assert set(report["correction_vmaf"]) == {0.0} and FILTERED in report["notes"][-1]


def test_where_nothing_is_switched_on_nothing_is_said(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *QUICK, "--min-vmaf", "70", "--vfilter", "crop=160:90", "--json")
    assert ended.code == 0 and ended.err == "" and not any("no part" in note for note in json.loads(ended.out)["notes"])

"""Scores of another model, pool, size or of filtered pictures are neither corrected nor learned, and a line says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SIDECAR, USUAL, Program

QUICK = (*USUAL, "--min-vmaf", "70", "--tolerance", "20", "--min-crf", "20", "--max-crf", "26", "--no-cache")
OTHERS = {
    "pool min": ("--pool", "min"),
    "pool p5": ("--pool", "p5"),
    "compared at 320x180": ("--vmaf-scale", "320x180"),
    "compared at 192x108": ("--vmaf-scale", "none"),
    "model vmaf_v0.6.1neg": ("--vmaf-model", "vmaf_v0.6.1neg"),
    "a filter of yours": ("--vfilter", "crop=160:90"),
    "pool min, compared at 320x180": ("--pool", "min", "--vmaf-scale", "320x180"),
}
SAID = "ridge-sidecar takes no part, and nothing is learned: these scores ("


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """Home of a program that has learned from one search of the usual scale, and corrects at once."""
    home = tmp_path_factory.mktemp("learned")
    (home / "vmaf-tune.toml").write_text("[plugins.ridge-sidecar]\nminimum-sources = 1\n")
    ended = Program(home=home)("crf-search", "-i", clip, *QUICK, *SIDECAR)
    assert ended.code == 0 and "no part" not in ended.err, ended.err
    return home


@pytest.fixture
def taught(learned: Path, program: Program) -> Program:
    shutil.copytree(learned, program.home, dirs_exist_ok=True)
    return program


def _states(program: Program) -> dict[Path, bytes]:
    files = program.cache.glob("sidecar/**/*")
    return {path: path.read_bytes() for path in files if path.is_file() and path.suffix != ".lock"}


def _told(text: str, unlike: str) -> bool:
    return sum(f"{SAID}{unlike})" in line for line in text.splitlines()) == 1


@pytest.mark.parametrize("unlike", OTHERS)
def test_a_search_of_another_scale_leaves_what_was_learned_as_it_is(
    taught: Program, clip: Path, tmp_path: Path, unlike: str
) -> None:
    before = _states(taught)
    page = tmp_path / "page.html"
    ended = taught("crf-search", "-i", clip, *QUICK, *SIDECAR, *OTHERS[unlike], "--json", "--report", page)
    report = ended.json
    assert _told(ended.err, unlike) and f"{SAID}{unlike})" in report["notes"][-1]
    assert f"{SAID}{unlike})" in page.read_text()
    assert report["probe_count"] and report["plugins"][0]["took_part"] is False
    assert _states(taught) == before and before


def test_a_usual_search_afterwards_is_as_without_them(learned: Path, taught: Program, clip: Path) -> None:
    line = ("crf-search", "-i", clip, *QUICK, *SIDECAR, "--json")
    for other in (*OTHERS.values(), ("--vmaf-scale", "1920x1080")):  # the last one is the usual size
        assert taught(*line[:-1], "--min-crf", "23", *other).code in (0, 3)
    with_them = taught(*line).json
    shutil.rmtree(taught.home)
    shutil.copytree(learned, taught.home)
    assert taught(*line[:-1], "--min-crf", "23").code == 0
    without = taught(*line).json
    assert with_them["plugins"][0]["captures"] == without["plugins"][0]["captures"] > 0
    assert with_them["curve"] == without["curve"] and with_them["plugins"][0]["correction_vmaf"] != 0.0


def test_what_is_asked_for_in_other_words_is_the_usual_scale(taught: Program, clip: Path) -> None:
    same = ("--vmaf-scale", "1920x1080", "--vmaf-model", "vmaf_v0.6.1", "--pool", "mean")
    report = taught("crf-search", "-i", clip, *QUICK, *SIDECAR, *same, "--json").json
    assert report["plugins"][0]["took_part"] and report["plugins"][0]["captures"] > 0


@pytest.mark.parametrize("how", ["search", "crf", "shots"])
def test_an_encode_of_another_scale_teaches_nothing(taught: Program, clip: Path, tmp_path: Path, how: str) -> None:
    before = _states(taught)
    line: list[Any] = ["encode", "-i", clip, "-o", tmp_path / "out.mkv", *SIDECAR, "--json", "--vmaf-scale", "320x180"]
    line += {
        "search": (*QUICK[:-1], "--final-score"),
        "crf": (*USUAL, "--crf", "22", "--final-score"),
        "shots": (*QUICK[:-1], "--per-shot"),
    }[how]
    ended = taught(*line)
    assert ended.code == 0 and _told(ended.err, "compared at 320x180"), ended.err
    report = ended.json
    notes = report["search"]["notes"] if how == "search" else report["notes"]
    assert any(SAID in note for note in notes) and report["final_vmaf"] is not None
    assert _states(taught) == before


def test_a_prediction_of_another_scale_is_not_corrected(taught: Program, clip: Path) -> None:
    report = taught("predict", "-i", clip, *USUAL, *SIDECAR, "--vfilter", "crop=160:90", "--json").json
    assert set(report["correction_vmaf"]) == {0.0} and SAID in report["notes"][-1]


def test_compare_and_batch_of_another_scale_teach_nothing(taught: Program, clip: Path) -> None:
    before = _states(taught)
    pool = ("--pool", "min", *SIDECAR)
    both = ("-e", "libx264:ultrafast", "-e", "libx264:superfast", *QUICK[4:8], *pool, "--no-bd-rate")
    ended = taught("compare", "-i", clip, *both, "--json")
    assert ended.code == 0 and _told(ended.err, "pool min"), ended.err
    assert _told("\n".join(ended.json["notes"]), "pool min")
    ended = taught("batch", clip, "--search-only", *QUICK[:-1], *pool, "--json")
    assert ended.code == 0 and _told(ended.err, "pool min"), ended.err
    assert _states(taught) == before


def test_where_nothing_is_switched_on_nothing_is_said(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *QUICK, "--pool", "min", "--json")
    assert ended.code == 0 and ended.err == "" and not any("no part" in note for note in json.loads(ended.out)["notes"])

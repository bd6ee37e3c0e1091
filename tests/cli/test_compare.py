"""``vmaf-tune compare`` and ``vmaf-tune ladder``: real encodes of tiny clips."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from tests.cli.conftest import Program

FAST = ("--vmaf-scale", "none", "--sample-duration", "0")


def test_encoders_are_compared_at_equal_verified_vmaf(program: Program, clip: Path, tmp_path: Path) -> None:
    names = ("-e", "libx264:ultrafast", "-e", "libx264:veryfast")
    ended = program(
        "compare",
        "-i",
        clip,
        *names,
        *FAST,
        "--min-vmaf",
        "88",
        "--tolerance",
        "2",
        "--csv",
        tmp_path / "p.csv",
        "--json",
    )
    assert ended.code == 0, ended.err
    report = ended.json
    anchor, other = report["encodes"]
    assert (anchor["preset"], other["preset"]) == ("ultrafast", "veryfast")
    for encode in report["encodes"]:
        assert encode["target_met"] and encode["vmaf"] >= 88
        found = {name: encode[name] for name in ("crf", "vmaf", "score", "metric", "bitrate_kbps")}
        assert found in encode["points"] and encode["vmaf"] == encode["score"]
        assert encode["encode_fps"] > 0
        assert len(encode["points"]) >= 4
    assert anchor["size_percent"] in (None, 100.0) and anchor["bd_rate_percent"] is None
    assert other["bd_rate_percent"] is not None
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    assert len(rows) == sum(len(encode["points"]) for encode in report["encodes"])


def test_a_candidate_that_fails_does_not_end_the_comparison(program: Program, clip: Path) -> None:
    names = ("-e", "libx264:ultrafast", "-e", "h264_nvenc")
    ended = program("compare", "-i", clip, *names, *FAST, "--min-vmaf", "88", "--tolerance", "2", "--no-bd-rate")
    assert ended.code in (2, 3)
    if ended.code == 3:
        assert "h264_nvenc" in ended.out and "ultrafast" in ended.out


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("libx264",), "at least two"),
        (("libx264", "libx264"), "twice"),
        (("libx264:fast", "libx264:quickest"), "preset quickest: libx264 has no such preset"),
        (("libx264", "libmagic"), "libmagic: no such encoder"),
    ],
)
def test_what_cannot_be_compared_is_said_before_any_encode(
    program: Program, clip: Path, names: tuple[str, ...], what: str
) -> None:
    ended = program("compare", "-i", clip, *(part for name in names for part in ("-e", name)), *FAST)
    assert ended.code == 2
    assert what in ended.complaint()


def test_a_ladder_has_falling_rungs_that_were_all_measured(program: Program, clip: Path, tmp_path: Path) -> None:
    options = ("-e", "libx264", "--preset", "ultrafast", "--heights", "108,54", "--min-vmaf", "85", "--rungs", "4")
    ended = program("ladder", "-i", clip, *options, *FAST, "--step-vmaf", "15", "--csv", tmp_path / "l.csv", "--json")
    assert ended.code == 0, ended.err
    report = ended.json
    rungs, curves = report["rungs"], {c["height"]: c["points"] for c in report["curves"]}
    assert set(curves) == {108, 54}
    assert rungs[0]["vmaf"] >= 85
    assert len(rungs) >= 2
    for above, below in itertools.pairwise(rungs):
        assert above["vmaf"] > below["vmaf"] and above["bitrate_kbps"] > below["bitrate_kbps"]
    for rung in rungs:
        names = ("bitrate_kbps", "score", "vmaf", "crf")
        assert {name: rung[name] for name in names} in [{n: p[n] for n in names} for p in curves[rung["height"]]]
        assert ("scale=96:54" in rung["command"]) == (rung["height"] == 54)
    assert sum(int(row["rung"]) for row in csv.DictReader((tmp_path / "l.csv").open())) == len(rungs)


def test_a_smaller_encode_is_compared_with_the_source_at_its_own_size(program: Program, clip: Path) -> None:
    """Half the lines lose detail that no bitrate brings back: were the source scaled too, both would score the same."""
    options = ("-e", "libx264", "--preset", "ultrafast", "--min-crf", "10", "--max-crf", "20", "--rungs", "1")
    ended = program("ladder", "-i", clip, *options, *FAST, "--heights", "108,54", "--min-vmaf", "85", "--json")
    assert ended.code == 0, ended.err
    best = {curve["height"]: max(p["vmaf"] for p in curve["points"]) for curve in ended.json["curves"]}
    assert best[54] < best[108] - 5


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        (("--heights", "1080"), 2, "above the source's"),
        (("--heights", "tall"), 2, "pixels separated by commas"),
        (("--heights", "53"), 2, "even number"),
        (("--step-vmaf", "0"), 2, "above 0"),
        (("--heights", "54", "--min-vmaf", "99.9"), 3, "VMAF 99.9 cannot be met: the source scored against itself"),
    ],
)
def test_what_no_ladder_can_be_made_of(
    program: Program, clip: Path, options: tuple[str, ...], code: int, what: str
) -> None:
    ended = program("ladder", "-i", clip, "-e", "libx264", "--preset", "ultrafast", *FAST, *options)
    assert ended.code == code
    assert what in ended.complaint()

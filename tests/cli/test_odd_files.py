"""Odd files that people have, through the commands: which video of them is used, and how large and long it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program
from tests.conftest import Clips
from tests.media.odd import changing, cropped, damaged, several, unknown
from vmaftune.ffmpeg.locate import locate
from vmaftune.state.store import Store

_FIXED = (*X264, "--crf", "30")


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(locate(None, Store(None)), tmp_path_factory.mktemp("odd"))


def test_an_unknown_codec_is_one_line(program: Program, maker: Clips, tmp_path: Path) -> None:
    ended = program("crf-search", "-i", unknown(maker, tmp_path), *X264)
    assert ended.code == 2 and ended.complaint().endswith("ffmpeg does not know the codec of its video")


def test_the_stream_that_is_named_is_encoded_and_scored(program: Program, maker: Clips, tmp_path: Path) -> None:
    path, output = several(maker, "several.mkv", ["64x48", "96x64"]), tmp_path / "out.mkv"
    chosen = program("encode", "-i", path, "-o", output, *_FIXED)
    assert chosen.code == 0 and "number 1 (h264 96x64) is taken; --video-stream takes another: 0" in chosen.err
    report = program(
        "encode", "-i", path, "-o", output, *_FIXED, "--overwrite", "--video-stream", "0", "--final-score", "--json"
    )
    assert "is taken" not in report.err and report.json["frames"] == 12
    again = program(
        "score", path, output, "--video-stream", "0", "--distorted-stream", "0", "--vmaf-scale", "none", "--json"
    ).json
    assert again["vmaf"] == pytest.approx(report.json["final_vmaf"], abs=1e-6)
    config = program.home / "vmaf-tune.toml"
    config.write_text("[search]\nvideo-stream = 5\n")
    refused = program("predict", "-i", path, *X264[:2])
    assert refused.code == 2 and "has no search.video-stream = 5 (in vmaf-tune.toml)" in refused.complaint()


def test_a_cropped_source_is_not_stretched(program: Program, maker: Clips, tmp_path: Path) -> None:
    path, output = cropped(maker, tmp_path), tmp_path / "out.mkv"
    report = program("encode", "-i", path, "-o", output, *_FIXED, "--final-score", "--json").json
    score = program("score", path, output, "--vmaf-scale", "none", "--json").json
    assert score["vmaf"] == pytest.approx(report["final_vmaf"], abs=1e-6) and score["frames"] == 50
    assert "scale=64:32" in report["command"]


def test_a_source_that_changes_size_scores_as_its_encode_did(program: Program, maker: Clips, tmp_path: Path) -> None:
    path, output = changing(maker, tmp_path), tmp_path / "out.mkv"
    report = program("encode", "-i", path, "-o", output, *_FIXED, "--final-score", "--json").json
    score = program("score", path, output, "--vmaf-scale", "none", "--json").json
    assert score["vmaf"] == pytest.approx(report["final_vmaf"], abs=1e-6) and score["frames"] == 20
    ended = program(
        "worst-frames", path, output, "-n", "2", "--pictures", tmp_path / "p", "--vmaf-scale", "none", "--json"
    )
    assert len(ended.json["worst"]) == 2 and all(Path(frame["picture"]).is_file() for frame in ended.json["worst"])
    back = program("score", output, path, "--vmaf-scale", "none", "--json")
    assert back.code == 0 and back.json["frames"] == 20


def test_damage_is_said_in_one_line(program: Program, maker: Clips, tmp_path: Path) -> None:
    path, output = damaged(maker, tmp_path), tmp_path / "out.mkv"
    said = "damaged.mkv: its video is damaged, and is used as ffmpeg decodes it (h264: "
    encoded = program("encode", "-i", path, "-o", output, *_FIXED)
    assert encoded.code == 0 and encoded.err.count(said) == 1
    searched = program("crf-search", "-i", path, *X264, "--min-vmaf", "80", "--tolerance", "20")
    assert searched.code == 0 and searched.err.count(said) == 1
    again = program("predict", "-i", path, *X264[:2])  # features come from the cache
    assert again.code == 0 and again.err.count(said) == 1
    scored = program("score", path, output, "--vmaf-scale", "none")
    assert scored.code == 0 and "one of the two videos is damaged" in scored.err

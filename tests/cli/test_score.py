"""``score`` gives the VMAF of one video against another, as libvmaf has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Program, ffmpeg


@pytest.fixture(scope="module")
def encode(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("score") / "encode.mkv"
    ffmpeg("-i", clip, "-c:v", "libx264", "-crf", "35", file)
    return file


def test_score_as_text_and_json(program: Program, clip: Path, encode: Path) -> None:
    report = program("score", clip, encode, "--vmaf-scale", "none", "--json").json
    assert 20 < report["vmaf"] < 95 and report["frames"] == 12 and report["per_frame"] is None
    assert report["min"] <= report["harmonic_mean"] <= report["vmaf"]
    assert all(0 <= value < 50 for value in report["features"].values())
    text = program("score", clip, encode, "--vmaf-scale", "none")
    assert text.code == 0 and text.out.startswith(f"VMAF {report['vmaf']:.4f} (mean of 12 frames")


def test_a_video_is_like_itself(program: Program, clip: Path) -> None:
    assert program("score", clip, clip, "--vmaf-scale", "none", "--json").json["vmaf"] > 97


def test_every_frame_is_told_when_asked(program: Program, clip: Path, encode: Path) -> None:
    line: list[str | Path] = ["score", clip, encode, "--vmaf-scale", "none", "--per-frame"]
    report = program(*line, "--json").json
    assert np.mean(report["per_frame"]) == pytest.approx(report["vmaf"], abs=1e-5)
    assert len(program(*line).out.splitlines()) == 13


def test_raw_video_scores_as_its_container_does(program: Program, clip: Path, encode: Path, tmp_path: Path) -> None:
    for name, source in (("a", clip), ("b", encode)):
        ffmpeg("-i", source, "-f", "rawvideo", "-pix_fmt", "yuv420p", tmp_path / f"{name}.yuv")
    size = ["--width", "192", "--height", "108"]
    raw = program("score", tmp_path / "a.yuv", tmp_path / "b.yuv", *size, "--vmaf-scale", "none", "--json").json
    whole = program("score", clip, encode, "--vmaf-scale", "none", "--json").json
    assert raw["vmaf"] == pytest.approx(whole["vmaf"], abs=1e-6) and raw["frames"] == 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "say how large its pictures are with --width and --height"),
        ("--width 192 --height 100", "is not a whole number of 192x100 yuv420p frames"),
        ("--width 192 --height 108 --pix-fmt nosuch", "no such pixel format"),
        ("--width 0 --height 108", "--width"),
        ("--width 192 --height 108 --fps 0", "--fps"),
    ],
)
def test_raw_video_must_be_described(program: Program, tmp_path: Path, options: str, said: str) -> None:
    raw = tmp_path / "a.yuv"
    raw.write_bytes(bytes(192 * 108 * 3 // 2))
    ended = program("score", raw, raw, *options.split())
    assert ended.code == 2 and said in ended.complaint()


def test_videos_of_different_length_are_not_paired(program: Program, clip: Path, longer: Path) -> None:
    ended = program("score", clip, longer, "--vmaf-scale", "none")
    assert ended.code == 2 and "12 frames" in ended.complaint() and "cannot be paired" in ended.complaint()


def test_another_size_is_scaled_to_the_reference(program: Program, clip: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.mkv"
    ffmpeg("-i", clip, "-vf", "scale=96:54", "-c:v", "libx264", "-crf", "10", half)
    report = program("score", clip, half, "--vmaf-scale", "none", "--json").json
    assert report["vmaf_size"] == [192, 108] and 0 < report["vmaf"] < 95

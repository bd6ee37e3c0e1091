"""A source that cannot be searched gives one line that says why, exit code 2, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program, ffmpeg


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """One file for each way in which a source can be bad."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "directory.mkv").mkdir()
    (folder / "text.mkv").write_text("no video\n" * 50)
    (folder / "empty.mkv").write_bytes(b"")
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "+faststart", folder / "front.mp4")
    ffmpeg("-i", clip, "-c", "copy", folder / "back.mp4")
    for name in ("front", "back"):
        whole = (folder / f"{name}.mp4").read_bytes()
        (folder / f"cut-{name}.mp4").write_bytes(whole[: len(whole) // 2])
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", folder / "audio.mka")
    ffmpeg("-i", clip, "-c", "copy", "-frames:v", "0", folder / "none.mkv")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=192x108", "-frames:v", "0", "-c:v", "rawvideo", folder / "none.avi")
    ffmpeg("-i", clip, "-frames:v", "1", "-c:v", "libx264", "-crf", "5", folder / "one.mkv")
    return folder


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.mkv", "No such file"),
        ("directory.mkv", "is a directory; name a video file"),
        ("text.mkv", "cannot be read as a video"),
        ("empty.mkv", "is empty"),
        ("cut-front.mp4", "damaged or cut short"),
        ("cut-back.mp4", "cannot be read as a video"),
        ("audio.mka", "has no video in it (it holds: audio)"),
        ("none.mkv", ""),
        ("none.avi", "no frame"),
    ],
)
def test_a_bad_source_is_refused_in_one_line(program: Program, bad: Path, name: str, said: str) -> None:
    ended = program("crf-search", "-i", bad / name, *X264)
    assert ended.code == 2 and ended.out == ""
    assert said in ended.complaint()
    assert program.left_behind() == []


def test_a_source_of_one_frame_is_searched(program: Program, bad: Path) -> None:
    report = program.search(bad / "one.mkv")
    assert report["target_met"] and report["vmaf"] >= 90
    assert {probe["frames"] for probe in report["probes"]} == {1}


@pytest.mark.parametrize("command", ["predict", "score"])
def test_other_commands_refuse_a_bad_source_alike(program: Program, bad: Path, clip: Path, command: str) -> None:
    source = ("-i", bad / "text.mkv", *X264[:2]) if command == "predict" else (clip, bad / "text.mkv")
    ended = program(command, *source)
    assert ended.code == 2 and "cannot be read as a video" in ended.complaint()
    assert program.left_behind() == []

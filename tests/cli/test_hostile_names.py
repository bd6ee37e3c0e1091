"""File names are data: whatever is in one, the search works, and so does the encode command that it prints."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program

NAMES = [
    "-i.mkv",
    "two\nlines.mkv",
    "a:b.mkv",
    "it's.mkv",
    'a "quote".mkv',
    "50%d %s.mkv",
    "[a];b,c=d|e.mkv",
    "back\\slash.mkv",
    "Жуки 蟲 é.mkv",
    "$(touch owned) `touch owned`.mkv",
    "concat:a.mkv",
    os.fsdecode(b"not-utf8-\xff.mkv"),
    " .mkv",
    "no-ending",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_hostile_name_is_searched_and_its_encode_scores_as_reported(
    program: Program, clip: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / name).write_bytes(clip.read_bytes())
    ended = program("crf-search", f"--input={name}", *X264, "--min-vmaf", "90", cwd=folder)
    assert ended.code == 0, ended.err
    command = ended.out.split("encode with:\n  ", 1)[1]
    encode = subprocess.run(
        ["sh", "-c", os.fsencode(command)], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert encode.returncode == 0, encode.stderr
    made = [path for path in folder.iterdir() if path.name != name]
    assert len(made) == 1 and not (tmp_path / "owned").exists()
    reported = program("crf-search", f"--input={name}", *X264, "--min-vmaf", "90", "--json", cwd=folder).json
    score = program("score", "--vmaf-scale", "none", "--json", "--", name, made[0], cwd=folder)
    assert score.code == 0, score.err
    assert score.json["vmaf"] == pytest.approx(reported["vmaf"], abs=0.01)
    assert reported["encode_command"] == command.rstrip("\n")


def test_a_missing_file_is_named_in_one_line(program: Program) -> None:
    ended = program("crf-search", "-i", "no\nsuch\x1b[31m.mkv", *X264)
    assert ended.code == 2 and "no\\nsuch\\x1b[31m.mkv" in ended.complaint()

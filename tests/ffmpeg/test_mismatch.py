"""Frames that cannot be paired are an error, never a number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FRAMES, Clips, Moving, Scorer
from vmaftune.errors import PairingError
from vmaftune.escape import file_url


@pytest.mark.parametrize("one_process", [True, False])
@pytest.mark.parametrize("off", [-1, 1])
def test_a_count_that_is_off_by_one(off: int, one_process: bool, moving: Moving, score: Scorer) -> None:
    with pytest.raises(PairingError, match=f"{FRAMES} frames were scored but the source has {FRAMES + off}"):
        score(moving.plain, expected_frames=FRAMES + off, one_process=one_process)
    assert not list(score.folder.iterdir()), "logs are removed after an error too"


@pytest.mark.parametrize("longer_first", [True, False])
def test_score_of_files_of_different_length(longer_first: bool, moving: Moving, clips: Clips, tmp_path: Path) -> None:
    short = clips.make("short.mkv", ["-i", file_url(moving.plain), "-frames:v", str(FRAMES - 1), "-c:v", "ffv1"])
    pair = [moving.plain, short] if longer_first else [short, moving.plain]
    command = [sys.executable, "-m", "vmaftune", "score", *map(str, pair), "--vmaf-scale", "none"]
    done = subprocess.run([*command, "--cache-dir", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert str(FRAMES) in line and str(FRAMES - 1) in line

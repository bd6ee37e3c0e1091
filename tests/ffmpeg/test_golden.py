"""The scores that VMAF's authors publish for pairs of theirs come out of ``vmaf-tune score``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [0, 1, 2])
def test_published_score_and_features(number: int, shared: Path, tmp_path: Path) -> None:
    folder = shared / "golden"
    pair = json.loads((folder / "golden.json").read_text())["pairs"][number]
    command = [
        sys.executable,
        "-m",
        "vmaftune",
        "score",
        str(folder / pair["reference"]),
        str(folder / pair["distorted"]),
    ]
    command += ["--width", str(pair["width"]), "--height", str(pair["height"]), "--pix-fmt", pair["pix_fmt"]]
    command += ["--vmaf-scale", "none", "--json", "--cache-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["frames"] == pair["frames"]
    assert report["vmaf"] == pytest.approx(pair["vmaf"], abs=5e-5)
    for name, published in pair.get("features", {}).items():
        assert report["features"][name] == pytest.approx(published, abs=5e-5), name

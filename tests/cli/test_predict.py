"""``predict`` prints a falling curve with its band, and encodes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.cli.conftest import SIDECAR, USUAL, X264, Program


def test_the_curve_is_one_screen(program: Program, clip: Path) -> None:
    ended = program("predict", "-i", clip, *X264[:4])
    assert ended.code == 0 and ended.err == f"{clip.name}: measuring the source\n"
    assert "not verified" in ended.out and "90 % band" in ended.out
    assert len(ended.out.splitlines()) <= 24 and max(map(len, ended.out.splitlines())) <= 100


def test_the_curve_as_json(program: Program, clip: Path) -> None:
    curve = program("predict", "-i", clip, *X264[:2], "--json").json
    assert curve["encoder"] == "libx264" and curve["predictor"].startswith("mlp@mlp_v1-")
    assert len(curve["crfs"]) == len(curve["vmaf"]) == len(curve["deviation"]) > 10
    assert (np.diff(curve["vmaf"]) <= 0.05).all() and min(curve["deviation"]) > 0
    assert set(curve["correction_vmaf"]) == {0.0}


def test_what_was_learned_shifts_the_curve(program: Program, clip: Path, tmp_path: Path) -> None:
    at_once = tmp_path / "at-once.toml"
    at_once.write_text("[plugins.ridge-sidecar]\nminimum-sources = 1\n")
    program.search(clip, *SIDECAR)
    curve = program("predict", "-i", clip, *USUAL, *SIDECAR, "--config", at_once, "--json").json
    assert curve["plugins"] == ["ridge-sidecar"] and max(map(abs, curve["correction_vmaf"])) > 0.0


def test_predict_works_without_a_predictor(program: Program, clip: Path) -> None:
    ended = program("predict", "-i", clip, *X264[:2], "--no-plugin", "mlp", "--no-plugin", "population")
    assert ended.code == 0 and "no predictor knows this curve" in ended.out


def test_the_curve_is_drawn(program: Program, clip: Path, tmp_path: Path) -> None:
    figure = tmp_path / "curve.png"
    assert program("predict", "-i", clip, *X264[:2], "--plot", figure).code == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    refused = program("predict", "-i", clip, *X264[:2], "--plot", tmp_path / "curve.txt")
    assert refused.code == 2 and "ends in .png" in refused.complaint()

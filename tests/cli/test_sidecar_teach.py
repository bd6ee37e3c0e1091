"""``sidecar record`` and ``replay``: captures from a file, checked as a whole before one is learned."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Program, capture_lines, install
from tests.conftest import ROOT
from vmaftune.contract.features import FEATURES, NAMES

GOOD: dict[str, Any] = {
    "features": [scale.centre for scale in FEATURES.values()],
    "encoder": "libx264",
    "crf": 23,
    "observed": 94.0,
}


def _record(program: Program, text: str) -> Ended:
    (program.home / "mine.jsonl").write_text(text)
    return program("sidecar", "record", "mine.jsonl")


def _captures(program: Program) -> int:
    return sum(row["state"]["captures"] for row in program("sidecar", "status", "--json").json["states"])


def test_record_tells_what_was_learned(program: Program) -> None:
    by_name = {**GOOD, "features": dict(zip(NAMES, GOOD["features"], strict=True)), "crf": 30, "observed": 88}
    ended = _record(program, f"{json.dumps(GOOD)}\n\n{json.dumps(by_name)}\n")
    assert (ended.code, ended.err) == (0, "")
    first, second = ended.out.splitlines()
    assert first == "ridge-sidecar learned 2 captures of 1 source"
    assert second.startswith("  libx264 preset medium: 2, predicted by mlp_v1-")


def test_standard_input_will_do(program: Program) -> None:
    done = subprocess.run(
        program.command("sidecar", "record", "-"), input=json.dumps(GOOD).encode(), env=program.env(), check=True
    )
    assert done.returncode == 0 and _captures(program) == 1


def test_rows_of_a_corpus_are_taken_as_they_are(program: Program) -> None:
    with gzip.open(ROOT / "model" / "mlp_v1.rows.jsonl.gz", "rt") as file:
        rows = [line for line in file if '"encoder":"libvpx-vp9"' in line or '"encoder":"libx265"' in line][:14]
    (program.home / "rows.jsonl.gz").write_bytes(gzip.compress("".join(rows).encode()))
    ended = program("sidecar", "record", "rows.jsonl.gz")
    assert ended.code == 0 and f"learned {len(rows)} captures" in ended.out
    lines = program("sidecar", "history", json.loads(rows[0])["encoder"], "--json").out.splitlines()
    assert json.loads(lines[0])["crf"] == pytest.approx(json.loads(rows[0])["crf"], abs=0.01)


def test_a_feature_that_is_not_known_is_null(program: Program) -> None:
    """No predictor knows such a source, and what is learned belongs to none."""
    features = [
        None if name.startswith("pilot") else value for name, value in zip(NAMES, GOOD["features"], strict=True)
    ]
    ended = _record(program, f"{json.dumps(GOOD)}\n{json.dumps({**GOOD, 'features': features})}\n")
    assert ended.code == 0 and "predicted by none" in ended.out and "predicted by mlp_v1-" in ended.out
    states = [row["state"] for row in program("sidecar", "status", "--json").json["states"]]
    assert sorted((s["predictor_version"].split("_")[0], s["captures"]) for s in states) == [
        ("mlp", 1),
        ("none", 1),
    ]


ROW: dict[str, Any] = {
    **{"source": "a", "kind": "b", "preset": None, "feature_schema": 2, "width": 2, "height": 2, "frames": 2},
    **dict.fromkeys(("vmaf_mean", "vmaf_harmonic_mean", "vmaf_min", "vmaf_p5", "bitrate_kbps", "probe_seconds"), 50),
    **{"ffmpeg": "9", "vmaf_model": "vmaf_v0.6.1", "observed": ...},
}
WRONG = {
    "observed = nan: must be a finite number": {"observed": float("nan")},
    "observed = 100.5: must be a number from 0 to 100": {"observed": 100.5},
    "observed is missing": {"observed": ...},
    'crf = "x": must be a number': {"crf": "x"},
    "crf = 51.5: must be a number from 0 to 51, as libx264 takes it": {"crf": 51.5},
    "libx2: no such encoder; there is: ": {"encoder": "libx2"},
    "preset quick: libx264 has no such preset": {"preset": "quick"},
    "features: 2 numbers, must be 20: log2_pixels, ": {"features": [1, 2]},
    "features.log2_pixels = nan: must be a finite number": {"features": [float("nan"), *GOOD["features"][1:]]},
    "features.log2_pixels = 'x': must be a finite number": {"features": ["x", *GOOD["features"][1:]]},
    "features.fps is missing": {"features": {"log2_pixels": 1}},
    "unknown feature fpx": {"features": {"fpx": 1}},
    "unix_seconds = -1: must be a number from 0": {"unix_seconds": -1},
    "unknown key film; allowed there: crf, encoder": {"film": "x.mkv"},
    "features of schema 1, this is 2": {**ROW, "feature_schema": 1},
    "column scale: 'vmaf_v0.6.1~p5' must be that of the mean": {**ROW, "scale": "vmaf_v0.6.1~p5"},
    "scale: 'p5?' names no scale": {"scale": "p5?"},
    "scale: no metric ssim is installed": {"scale": "ssim"},
    "observed = 100.2: must be a number from 0 to 100, as xpsnr": {"scale": "xpsnr", "observed": 100.2},
}


def test_a_wrong_line_is_told_with_line_and_field(program: Program) -> None:
    from vmaftune_plugins.encoders import vmaftune_encoders
    from vmaftune_plugins.metrics import vmaftune_metrics

    from vmaftune.errors import UserError
    from vmaftune.learned.captures import read_sources

    encoders = {spec.name: spec for spec in vmaftune_encoders()}
    metrics = {metric.name: metric for metric in vmaftune_metrics()}
    for said, change in WRONG.items():
        line = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
        with pytest.raises(UserError) as caught:
            read_sources([json.dumps(GOOD).encode(), b"\n", json.dumps(line).encode()], "mine.jsonl", encoders, metrics)
        text = str(caught.value)
        assert text.startswith("mine.jsonl, line 3") and said in text and "\n" not in text, text


@pytest.mark.parametrize("last", ['{"features": [', "[]", '{"observed": 1}', ""])
def test_nothing_is_learned_of_a_file_with_a_wrong_line(program: Program, last: str) -> None:
    ended = _record(program, f"{json.dumps(GOOD)}\n{last}" if last else "\n")
    assert ended.code == 2
    assert ended.complaint().startswith("mine.jsonl, line 2" if last else "mine.jsonl holds no captures")
    assert not (program.cache / "sidecar").exists()


def test_replay_predicts_before_it_learns_and_keeps_nothing(program: Program) -> None:
    (program.home / "mine.jsonl").write_text(capture_lines(12) + capture_lines(2, encoder="libx265"))
    report = program("sidecar", "replay", "mine.jsonl", "--json").json
    rows = {row["what"]: row for row in report["errors"]}
    assert list(rows) == ["all", "last half", "libx264", "libx265"] and report["sources"] == 14
    assert [row["captures"] for row in rows.values()] == [56, 28, 48, 8]
    assert rows["libx264"]["mae_after_vmaf"] < 0.8 * rows["libx264"]["mae_before_vmaf"]
    assert not (program.cache / "sidecar").exists() and program.left_behind() == []
    ended = program("sidecar", "replay", "mine.jsonl")
    assert ended.code == 0 and "nothing was kept" in ended.out and "last half" in ended.out


def test_the_first_source_is_predicted_by_nothing_learned(program: Program) -> None:
    (program.home / "mine.jsonl").write_text(capture_lines(1))
    (row, *_) = program("sidecar", "replay", "mine.jsonl", "--json").json["errors"]
    assert row["mae_before_vmaf"] == row["mae_after_vmaf"]


FORGETFUL = """
import numpy as np
from vmaftune import hookimpl
from vmaftune.contract import Adjustment, CorrectionSpec

class Forgetful:
    learned = 0
    def correct(self, context, prediction):
        return Adjustment(shift=np.zeros(len(context.crfs)), captures=0)
    def learn(self, capture):
        self.learned += 1
        if self.learned > 2:
            raise RuntimeError("full")

@hookimpl
def vmaftune_corrections():
    yield CorrectionSpec(name="forgetful", version="1", factory=lambda context: Forgetful())
"""


def test_one_that_fails_midway_says_how_much_was_learned(program: Program) -> None:
    (program.home / "mine.jsonl").write_text(capture_lines(1))
    ended = install(program, "forgetful", FORGETFUL)("sidecar", "record", "mine.jsonl", "--plugin", "forgetful")
    assert ended.code == 1
    said = "plugin forgetful failed in learn: RuntimeError: full; 2 of 4 captures were learned before"
    assert ended.complaint() == said


def test_what_is_recorded_again_adds_nothing_and_narrows_no_band(program: Program) -> None:
    (program.home / "mine.jsonl").write_text(capture_lines(4))
    assert program("sidecar", "record", "mine.jsonl").code == 0
    asked = ("sidecar", "show", "libx264", "--json")
    once = program(*asked).json
    (program.home / "again.jsonl").write_text(
        "".join(capture_lines(4).replace("1790", f"17{n}") for n in range(60, 85))
    )
    assert program("sidecar", "record", "again.jsonl").code == 0
    assert _captures(program) == 16 and program(*asked).json == once


def test_each_line_is_learned_under_its_scale(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "captures.jsonl"
    named = (None, "xpsnr", "xpsnr~8bit", "vmaf_v0.6.1neg")
    lines = [{**GOOD, "crf": 20 + number, "observed": 41.0, "scale": scale} for number, scale in enumerate(named)]
    row = {**ROW, "vmaf_model": "vmaf_v0.6.1neg", "observed": ...}
    of_corpus = {key: value for key, value in {**GOOD, **row}.items() if value is not ...}
    file.write_text("".join(json.dumps(line) + "\n" for line in (*lines, of_corpus)))
    ended = program("sidecar", "record", file)
    assert ended.code == 0 and "xpsnr" in ended.out, ended.err
    states = program("sidecar", "status", "--json").json["states"]
    assert {each["scale"]: each["state"]["captures"] for each in states} == {
        "vmaf_v0.6.1": 1,
        "xpsnr~8bit": 2,
        "vmaf_v0.6.1neg": 2,
    }
    assert all(each["in_use"] for each in states)
    shown = program("sidecar", "show", "libx264", "--scale", "xpsnr", "--json").json
    assert shown["scale"] == "xpsnr~8bit" and shown["captures"] == 2 and shown["shift_vmaf"] is None
    assert len(program("sidecar", "history", "libx264", "--scale", "vmaf_v0.6.1neg", "--json").out.splitlines()) == 2
    assert program("sidecar", "reset", "libx264", "--scale", "xpsnr", "--yes").code == 0
    left = program("sidecar", "status", "--json").json["states"]
    assert {each["scale"] for each in left} == {"vmaf_v0.6.1", "vmaf_v0.6.1neg"}

"""``tiny train``, ``tiny eval`` and ``score --model``, as a user runs them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.cli.conftest import Program, ffmpeg
from tests.tiny.build import made_table, plane
from vmaftune.tiny.tablefile import write_table

trains = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("torch", "onnx", "scipy", "matplotlib")),
    reason="training needs pip install 'vmaf-tune[train]'",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tiny") / "table.npz"
    write_table(made_table(4, 3), file)
    return file


@trains
def test_everything_can_be_tried_out_without_a_corpus(program: Program) -> None:
    out = program.home / "out"
    ended = program("tiny", "train", "--epochs", "0", "--assume-dims", "64x36", "-o", out, "--id", "smoke")
    assert ended.code == 0 and "no data, 2 sources" in ended.out, ended.err
    assert {path.name for path in out.iterdir()} == {
        "smoke.onnx",
        "eval_report.json",
        "report.md",
        "scatter.png",
        "table.npz",
    }
    (entry,) = [each for each in program("models", "list", "--json").json if each["id"] == "smoke"]
    assert entry["kind"] == "fr" and entry["smoke"] and entry["metrics"] == {}
    assert program.left_behind() == []


@trains
def test_a_model_is_trained_registered_and_used(program: Program, table: Path, clip: Path) -> None:
    line: list[str | Path] = [
        "tiny",
        "train",
        table,
        "-o",
        program.home / "out",
        "--loso",
        "--epochs",
        "20",
        "--id",
        "mine",
    ]
    ended = program(*line)
    assert ended.code == 0 and "leave-one-source-out, 4 sources" in ended.out and "its card: mine.md" in ended.out
    assert "20/20 epoch 20" in ended.err
    card = program("models", "show", "mine").out
    assert "Each source is judged by a network that never saw it (4 networks)" in card and "StandardScaler" in card
    judged = program("tiny", "eval", "mine", table, "--json").json
    assert judged["parameters"] == 257 and judged["split"] == "not known" and len(judged["sources"]) == 4
    scored = program("score", clip, clip, "--vmaf-scale", "none", "--model", "mine", "--per-frame", "--json").json
    assert len(scored["tiny"]["per_frame"]) == scored["frames"] == 12 and 0 <= scored["tiny"]["vmaf"] <= 100


def test_a_tiny_score_stands_beside_the_real_one(program: Program, clip: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.mkv"
    ffmpeg("-i", clip, "-c:v", "libx264", "-crf", "35", half)
    (tmp_path / "plane.onnx").write_bytes(plane())
    line: list[str | Path] = ["score", clip, half, "--vmaf-scale", "none", "--model", tmp_path / "plane.onnx"]
    report = program(*line, "--json").json
    means = report["features"]
    wanted = 40.0 + 10.0 * sum(value for name, value in means.items() if name != "motion2")
    assert report["tiny"]["vmaf"] == pytest.approx(wanted, abs=1e-3)
    text = program(*line).out.splitlines()
    assert text[0].startswith(f"VMAF {report['vmaf']:.4f}") and text[1].startswith(
        f"tiny {report['tiny']['vmaf']:.4f} ("
    )


def test_eval_writes_a_report(program: Program, table: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "plane.onnx").write_bytes(plane())
    ended = program("tiny", "eval", tmp_path / "plane.onnx", table, "-o", tmp_path / "out")
    assert ended.code == 0 and "not known, 4 sources" in ended.out and "unknown parameters" in ended.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"eval_report.json", "report.md", "scatter.png"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("tiny train -o out", "name a CORPUS to train on, or try everything out with --epochs 0 --assume-dims WxH"),
        ("tiny train -o out --assume-dims 64x36", "from which nothing can be learned: it goes with --epochs 0"),
        ("tiny train TABLE -o out --assume-dims 64x36 --epochs 0", "not both"),
        ("tiny train TABLE -o out --arch mlp_huge", "no architecture 'mlp_huge'"),
        ("tiny train TABLE -o out --val-source Tennis", "no such source in the corpus; there are S0"),
        ("tiny train TABLE -o out --folds 9", "--folds 9 must be from 2 to the number of sources"),
        ("tiny train TABLE -o out --registry here", "give it a name with --id"),
        ("tiny train TABLE -o out --id population_v2", "the name of a model that vmaf-tune ships"),
        ("tiny train nowhere -o out", "nowhere"),
        ("tiny eval mlp_v1 TABLE", "model mlp_v1 is of kind predictor, not fr"),
        ("tiny eval BROKEN TABLE", "broken.onnx is not a whole ONNX file"),
        ("tiny eval OTHER TABLE", "other.onnx: input given is tensor(float) of shape"),
        ("tiny eval nobody TABLE", "no model 'nobody' is registered"),
    ],
)
def test_a_mistake_is_one_line(program: Program, table: Path, tmp_path: Path, line: str, why: str) -> None:
    if "train" in line:
        pytest.importorskip("torch")
    files = {"TABLE": table, "BROKEN": tmp_path / "broken.onnx", "OTHER": tmp_path / "other.onnx"}
    files["BROKEN"].write_bytes(b"garbage")
    files["OTHER"].write_bytes(plane(inputs=4))
    words = [str(files.get(word, word)) for word in line.split()]
    ended = program(*words)
    assert ended.code == 2 and why in ended.complaint()

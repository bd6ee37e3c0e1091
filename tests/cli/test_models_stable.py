"""``models promote`` and ``rollback``, what ``list`` says of them, and ``--model`` for one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.models import build


@pytest.fixture
def own(program: Program) -> Path:
    """Folder of the user's models: one that is good, one that its trainer's gate rejected."""
    build.register(program.models, "mine")
    build.register(program.models, "bad", rejected=("PLCC on the reference fell from 0.9900 to 0.9000",))
    return program.models


def stable_of(program: Program) -> list[str]:
    return [row["id"] for row in program("models", "list", "--json").json if row["latest_stable"]]


def test_promote_and_roll_back(program: Program, own: Path) -> None:
    assert stable_of(program) == ["mlp_v1"]
    ended = program("models", "promote", "mine")
    assert ended.code == 0 and ended.out.startswith("latest-stable is mine-")
    assert stable_of(program) == ["mine"]
    lines = {line.split()[0]: line for line in program("models", "list").out.splitlines()}
    assert "latest-stable" in lines["mine"] and "latest-stable" not in lines["mlp_v1"] and "rejected" in lines["bad"]
    ended = program("models", "rollback")
    assert ended.code == 0 and ended.out.startswith("latest-stable is mlp_v1-") and "no longer mine" in ended.out
    assert stable_of(program) == ["mlp_v1"]
    ended = program("models", "rollback")
    assert ended.code == 2 and "no model before it is known" in ended.complaint()


def test_a_rejected_model_takes_force(program: Program, own: Path) -> None:
    ended = program("models", "promote", "bad")
    assert ended.code == 2
    assert ended.complaint() == (
        "model bad was rejected: PLCC on the reference fell from 0.9900 to 0.9000; --force promotes it all the same"
    )
    assert stable_of(program) == ["mlp_v1"]
    assert program("models", "promote", "bad", "--force").code == 0 and stable_of(program) == ["bad"]
    shown = program("models", "show", "latest-stable").out
    assert "latest-stable rejected" in shown and "PLCC on the reference fell" in shown


@pytest.mark.parametrize(
    ("model_id", "complaint"),
    [
        ("yours", "no model 'yours' is registered"),
        ("population_v2", "model population_v2 is of kind population, and latest-stable is a predictor"),
    ],
)
def test_what_cannot_be_promoted(program: Program, own: Path, model_id: str, complaint: str) -> None:
    ended = program("models", "promote", model_id)
    assert ended.code == 2 and ended.complaint().startswith(complaint) and stable_of(program) == ["mlp_v1"]


def test_a_broken_model_is_not_promoted(program: Program, own: Path) -> None:
    (own / "mine.onnx").write_bytes(b"another")
    ended = program("models", "promote", "mine")
    assert ended.code == 2 and "sha256 differs" in ended.complaint() and stable_of(program) == ["mlp_v1"]


def test_a_model_for_one_run(program: Program, own: Path, clip: Path) -> None:
    assert program("models", "promote", "mine").code == 0
    curve = program("predict", "-i", clip, "-e", "libx264", "--model", "latest-stable", "--json").json
    assert curve["predictor"].startswith("mlp@mine-")


def test_a_wrong_model_ends_a_run_before_anything_is_encoded(program: Program, own: Path, clip: Path) -> None:
    ended = program("predict", "-i", clip, "-e", "libx264", "--model", "yours")
    assert ended.code == 2
    assert ended.complaint().startswith(
        "--model: plugins.mlp: model = 'yours': no such predictor is registered; there is"
    )
    ended = program("predict", "-i", clip, "-e", "libx264", "--predictor", "population", "--model", "mine")
    assert ended.code == 2 and "--model mine: predictor population has no model to choose" in ended.complaint()

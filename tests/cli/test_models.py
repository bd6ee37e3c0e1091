"""``models``: the list, what ``verify`` finds, and what ``show`` tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.models import build


@pytest.fixture
def own(program: Program) -> Path:
    """Folder of the user's models, with one in it."""
    card = b"# mine\n\nMade from nine sources.\n"
    build.register(program.models, "mine", card=card, metrics={"mean_error_vmaf": 2.345678, "clips": 9, "more": 1})
    return program.models


def test_the_list_has_every_model_in_a_whole_line(program: Program, own: Path) -> None:
    build.register(own, "tried", smoke=True, metrics={"mean_error_vmaf": 1.0})
    ended = program("models", "list")
    assert ended.code == 0 and ended.err == ""
    rows = {line.split()[0]: line for line in ended.out.splitlines()}
    assert "population_v2-" in rows["population_v2"] and " shipped " in rows["population_v2"]
    assert " own " in rows["mine"] and "libx264 veryfast, libx264 medium, libsvtav1 8" in rows["mine"]
    assert "mean_error_vmaf 2.346, clips 9" in rows["mine"] and "more" not in rows["mine"]
    assert "made to try the training out" in rows["tried"] and "mean_error_vmaf" not in rows["tried"]
    assert list(rows)[-2:] == ["mine", "tried"]


def test_the_list_as_json(program: Program, own: Path) -> None:
    rows = {row["id"]: row for row in program("models", "list", "--json").json}
    assert rows["population_v2"]["origin"] == "shipped" and rows["population_v2"]["kind"] == "population"
    assert rows["mine"]["origin"] == "own" and rows["mine"]["version"].startswith("mine-")
    assert rows["mine"]["metrics"] == {"mean_error_vmaf": 2.345678, "clips": 9, "more": 1}
    assert rows["mine"]["smoke"] is False and rows["mine"]["encoders"][0] == "libx264 veryfast"


def test_verify_prints_a_line_for_each_model(program: Program, own: Path) -> None:
    ended = program("models", "verify")
    assert ended.code == 0 and ended.err == "", ended
    lines = ended.out.splitlines()
    assert all(line.startswith("ok   ") for line in lines) and len(lines) >= 2
    assert "4 curves of 5 knots are finite and fall" in lines[-1]
    assert program("models", "verify", "mine", "mine").out.splitlines() == lines[-1:]


def test_verify_ends_with_1_when_one_is_bad_and_looks_at_the_others(program: Program, own: Path) -> None:
    build.register(own, "late")
    (own / "mine.onnx").write_bytes(b"another")
    ended = program("models", "verify", "mine", "late")
    assert ended.code == 1 and ended.complaint() == "1 of 2 models cannot be used"
    bad, good = ended.out.splitlines()
    assert bad.startswith("BAD  mine-") and "sha256 differs" in bad and good.startswith("ok   late-")


@pytest.mark.parametrize("command", ["verify", "show"])
def test_an_unknown_name_is_the_users_mistake(program: Program, own: Path, command: str) -> None:
    ended = program("models", command, "yours")
    assert ended.code == 2 and ended.out == ""
    assert ended.complaint().startswith("no model 'yours' is registered; there is: population_v2")


def test_verify_looks_at_none_when_one_of_the_names_is_unknown(program: Program, own: Path) -> None:
    ended = program("models", "verify", "mine", "yours")
    assert ended.code == 2 and ended.out == ""


def test_show_tells_the_facts_and_the_card(program: Program, own: Path) -> None:
    ended = program("models", "show", "mine")
    assert ended.code == 0 and ended.err == ""
    facts, _, card = ended.out.partition("\n\n")
    assert card == "# mine\n\nMade from nine sources.\n"
    assert str(own) in facts and "mean_error_vmaf 2.346, clips 9, more 1" in facts and "Apache-2.0" in facts
    assert "libsvtav1 8" in facts and "mine.rows  sha256 " in facts and "opset     17" in facts


def test_a_broken_registry_of_the_users_is_one_line(program: Program, own: Path) -> None:
    (own / "registry.json").write_text("{")
    for arguments in (("list",), ("verify",), ("show", "mine")):
        ended = program("models", *arguments)
        assert ended.code == 2 and ended.out == ""
        assert f"{own / 'registry.json'} is no registry of models" in ended.complaint()
    assert program("models", "verify", "population_v2").code == 0


def test_the_list_imports_no_network(program: Program) -> None:
    """Nor does it need one: the list is there on a host without onnxruntime."""
    script = "import sys; sys.modules['onnxruntime'] = None\nfrom vmaftune.cli import main; main(['models', 'list'])"
    done = subprocess.run([sys.executable, "-c", script], env=program.env(), capture_output=True, text=True)
    assert done.returncode == 0 and "population_v2" in done.stdout

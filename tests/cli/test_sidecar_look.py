"""``sidecar status``, ``show``, ``history`` and ``reset``: what was learned is seen, and forgotten on request."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import SIDECAR, Program, capture_lines, install

STATE = "sidecar"
OLD = "mlp_v1-00000000"


def _age(program: Program) -> None:
    """Let a state be of a predictor version that is not in use."""
    (folder,) = (program.cache / STATE).glob("*/libx264")
    old = program.cache / STATE / OLD / "libx264"
    shutil.copytree(folder, old)
    state = json.loads((old / "state.json").read_text().replace(folder.parent.name, OLD))
    del state["checksum"]
    (old / "state.json").write_text(json.dumps(state))


def test_nothing_learned_is_one_line_that_says_how_to_begin(program: Program) -> None:
    ended = program("sidecar", "status")
    assert (ended.code, ended.err) == (0, "")
    (line,) = ended.out.splitlines()
    assert line.startswith("nothing was learned yet: ") and "--plugin ridge-sidecar" in line and "record" in line
    assert program("sidecar", "status", "--json").json["states"] == []
    assert not (program.cache / STATE).exists()


def test_status_tells_what_was_learned_and_what_is_in_use(taught: Program) -> None:
    _age(taught)
    report = taught("sidecar", "status", "--json").json
    version = report["in_use"]["ridge-sidecar"]
    states = {row["state"]["predictor_version"]: row for row in report["states"]}
    assert set(states) == {version, OLD}
    assert states[version]["in_use"] and not states[OLD]["in_use"]
    state = states[version]["state"]
    assert (state["captures"], state["sources"], state["presets"]) == (48, 12, {"medium": 48})
    assert state["rms_after"] < state["rms_before"] and state["size_bytes"] > 0
    lines = taught("sidecar", "status").out.splitlines()
    assert any(OLD in line and " old " in line for line in lines)
    assert any(version in line and f" {state['status']} " in line for line in lines)
    assert lines[-1] == f"in use for libsvtav1: ridge-sidecar with {version}"


def test_another_predictor_has_other_states_in_use(taught: Program) -> None:
    report = taught("sidecar", "status", "--predictor", "population", "--json").json
    assert report["in_use"]["ridge-sidecar"].startswith("population_v2-") and not report["states"][0]["in_use"]


def test_show_has_the_terms_largest_first_and_the_shift(taught: Program) -> None:
    report = taught("sidecar", "show", "libx264", "--json").json
    weights = [abs(term["weight"]) for term in report["terms"]]
    assert weights == sorted(weights, reverse=True) and weights[0] > 0
    assert report["preset"] == "medium" and report["captures"] == 48
    assert report["crfs"][0] == 10 and report["crfs"][-1] == 46 and max(map(abs, report["shift_vmaf"])) > 1
    text = taught("sidecar", "show", "libx264").out
    assert report["terms"][0]["name"] in text and "shift of an ordinary source" in text


def test_show_of_what_was_not_learned_is_one_line(taught: Program) -> None:
    ended = taught("sidecar", "show", "libx265", "--preset", "slow")
    assert ended.code == 0 and ended.out.startswith("ridge-sidecar has learned nothing of libx265 preset slow")
    assert (
        "preset slo: libx265 has no such preset" in taught("sidecar", "show", "libx265", "--preset", "slo").complaint()
    )
    assert "libx2: no such encoder" in taught("sidecar", "show", "libx2").complaint()


def test_history_has_the_captures_oldest_first(taught: Program) -> None:
    lines = [json.loads(line) for line in taught("sidecar", "history", "libx264", "--json").out.splitlines()]
    assert len(lines) == 48 and [line["crf"] for line in lines[:4]] == [20, 26, 32, 38]
    assert [line["unix_seconds"] for line in lines] == sorted(line["unix_seconds"] for line in lines)
    assert lines[0]["preset"] == "medium" and abs(lines[0]["residual"] + 6) < 5
    table = taught("sidecar", "history", "libx264", "--limit", "2").out.splitlines()
    assert len(table) == 3 and "residual" in table[0]


def test_reset_asks_first(taught: Program) -> None:
    ended = taught("sidecar", "reset", "libx264")
    assert ended.code == 2 and "nothing was forgotten: there is no terminal to ask on; say --yes" in ended.err
    assert "48 captures of 12 sources" in ended.err
    assert taught("sidecar", "status", "--json").json["states"]
    ended = taught("sidecar", "reset", "libx264", "--yes")
    assert ended.code == 0 and ended.out.startswith("forgot ridge-sidecar libx264 with mlp_v1-")
    assert taught("sidecar", "status", "--json").json["states"] == []
    assert taught("sidecar", "reset", "--all", "--yes").out == "there is nothing to forget\n"


def test_reset_old_leaves_what_is_in_use(taught: Program) -> None:
    _age(taught)
    ended = taught("sidecar", "reset", "--old", "--yes")
    assert ended.code == 0 and len(ended.out.splitlines()) == 1 and OLD in ended.out
    (row,) = taught("sidecar", "status", "--json").json["states"]
    assert row["in_use"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reset",), "name an ENCODER, or say --all or --old"),
        (("reset", "libx264", "--all", "--yes"), "not both"),
        (("reset", "libx2", "--yes"), "libx2: no such encoder"),
        (("status", "--plugin", "mlp"), "mlp is a plugin of kind predictor"),
        (("status", "--plugin", "nosuch"), "no plugin nosuch is installed"),
    ],
)
def test_a_mistake_is_one_line(program: Program, arguments: tuple[str, ...], said: str) -> None:
    ended = program("sidecar", *arguments)
    assert ended.code == 2 and said in ended.complaint()


OTHER = """
import numpy as np
from vmaftune import hookimpl
from vmaftune.contract import Adjustment, CorrectionSpec

class Other:
    def correct(self, context, prediction):
        return Adjustment(shift=np.zeros(len(context.crfs)), captures=0)
    def learn(self, capture):
        pass
{methods}

@hookimpl
def vmaftune_corrections():
    yield CorrectionSpec(name="other", version="1", factory=lambda context: Other())
"""
RAISING = "    def states(self): raise RuntimeError('no\\nway')\n" + "".join(
    f"    def {name}(self, *given): pass\n" for name in ("captures", "terms", "reset", "exported", "take_in")
)


def test_one_that_raises_is_one_line(program: Program) -> None:
    with_other = install(program, "other", OTHER.format(methods=RAISING))
    ended = with_other("sidecar", "status")
    assert ended.code == 1 and ended.complaint() == "plugin other failed in states: RuntimeError: no way"
    assert with_other("sidecar", "status", "--plugin", "ridge-sidecar").code == 0


def test_which_of_several_must_be_said(program: Program) -> None:
    with_other = install(program, "other", OTHER.format(methods=RAISING))
    for arguments in (("show", "libx264"), ("export", "x.json"), ("plot", "x.png"), ("record", "-")):
        ended = with_other("sidecar", *arguments)
        assert ended.code == 2 and "--plugin with one of ridge-sidecar, other" in ended.complaint()


def test_one_that_shows_nothing_is_left_out(program: Program) -> None:
    with_other = install(program, "other", OTHER.format(methods=""))
    assert with_other("sidecar", "status").out.startswith("nothing was learned yet")
    ended = with_other("sidecar", "status", "--plugin", "other")
    assert ended.code == 2 and "other shows nothing of what it learned" in ended.complaint()


def test_drift_is_told_by_searches(program: Program, clip: Path) -> None:
    (program.home / "captures.jsonl").write_text(capture_lines(3, preset="ultrafast"))
    (program.home / "vmaf-tune.toml").write_text("[plugins.ridge-sidecar]\ndrift-window = 5\ndrift-threshold = 0.001\n")
    assert program("sidecar", "record", "captures.jsonl").code == 0
    assert "drifting" in program("sidecar", "status").out
    asked = ("-i", clip, "-e", "libx264", "--preset", "ultrafast", *SIDECAR)
    (note,) = (n for n in program("predict", *asked, "--json").json["notes"] if "ridge-sidecar" in n)
    assert note.startswith("ridge-sidecar: what is left after correction is")
    assert note in program("predict", *asked).out.splitlines()
    asked = (*asked, "--min-vmaf")
    assert note in program("crf-search", *asked, "90", "--json").json["notes"]
    lines = program("crf-search", *asked, "80").err.splitlines()
    assert sum(line.startswith("  ridge-sidecar: what is left after correction is") for line in lines) == 1


@pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, 0), (b"n\n", 1, 1)])
def test_on_a_terminal_the_answer_decides(taught: Program, answer: bytes, code: int, left: int) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    command = taught.command("sidecar", "reset", "--all")
    done = subprocess.run(command, env=taught.env(), cwd=taught.home, stdin=theirs, capture_output=True, text=True)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code and "Forget this? [y/N]" in done.stderr
    assert done.stdout.startswith("nothing was forgotten" if left else "forgot ridge-sidecar libx264")
    assert len(taught("sidecar", "status", "--json").json["states"]) == left

"""What a person sees of what is known already, and of what takes a while before the first probe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import X264, Program

LADDER = (*X264, "--heights", "108,72", "--rungs", "3", "--step-vmaf", "8")


def _ladder(program: Program, clip: Path, target: float) -> Any:
    ended = program("ladder", "-i", clip, *LADDER, "--min-vmaf", str(target), "--json")
    assert ended.code == 0, ended.err
    return ended.json


def test_one_question_has_one_ladder_whatever_the_cache_holds(program: Program, clip: Path) -> None:
    cold = _ladder(program, clip, 90)
    assert cold["probe_count"] > 0
    program.search(clip, "--min-vmaf", "88.6")
    _ladder(program, clip, 92)
    for _ in range(2):
        warm = _ladder(program, clip, 90)
        assert warm["probe_count"] == 0
        assert (warm["rungs"], warm["curves"]) == (cold["rungs"], cold["curves"])
    outputs = [rung["command"].split()[-1] for rung in cold["rungs"]]
    assert len(outputs) > 1 and len(set(outputs)) == len(outputs), outputs
    assert all(output.endswith(".libx264.mkv") for output in outputs)


def test_a_repeated_search_shows_the_result_and_its_neighbours(program: Program, clip: Path) -> None:
    for target in (90, 80, 70, 60):
        first = program("crf-search", "-i", clip, *X264, "--min-vmaf", str(target))
        assert (first.code == 0 and " expects VMAF " in first.err) or " is expected at " in first.err
    line = ("crf-search", "-i", clip, *X264, "--min-vmaf", "80")
    shown = [text for text in program(*line).err.splitlines() if "from the cache" in text]
    assert len(shown) == 4 and shown[-1].startswith("  and ")
    crfs = [float(text.split()[1]) for text in shown[:3]]
    found = program(*line, "--json").json
    assert crfs[1] == found["crf"] and len(found["probes"]) == 3 + int(shown[-1].split()[1])
    assert " expects VMAF " not in program(*line).err, "the prior is not printed where more is known"


@pytest.mark.parametrize("command", ["crf-search", "predict", "encode"])
def test_a_line_is_printed_while_features_are_measured(program: Program, clip: Path, command: str) -> None:
    line: list[str | Path] = [command, "-i", clip, *X264[:4]]
    line += [] if command == "predict" else ["--min-vmaf", "80", "--tolerance", "15"]
    said = f"{clip.name}: measuring the source"
    ended = program(*line, *(["-o", program.home / "out.mkv"] if command == "encode" else []))
    assert ended.code == 0 and said in ended.err.splitlines()
    if command == "predict":
        assert said not in program(*line).err, "it is kept"
        assert json.loads(program(*line, "--json").out)["crfs"]

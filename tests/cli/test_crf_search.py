"""``vmaf-tune crf-search`` and ``vmaf-tune --crf-search``: one command, two ways to write it, and what it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SIDECAR, USUAL, X264, Program

PROMISED = {
    *("crf", "vmaf", "target", "tolerance", "encoder", "preset", "predictor", "plugins", "predicted_vmaf"),
    *(
        "predicted_crf",
        "probes",
        "probe_count",
        "explore_count",
        "feature_seconds",
        "total_seconds",
        "stop",
        "samples",
        "ffmpeg",
    ),
    "vmaf_model",
}
PROMISED_OF_A_PROBE = {
    *("crf", "vmaf", "bitrate_kbps", "encoded_percent", "encode_seconds", "score_seconds", "frames", "cached"),
    *("purpose", "deviation"),
}


def _without_times(report: Any) -> Any:
    """The report without what differs from run to run."""
    timed = re.compile(r"_seconds$")
    if isinstance(report, dict):
        return {k: _without_times(v) for k, v in report.items() if not timed.search(k)}
    return [_without_times(item) for item in report] if isinstance(report, list) else report


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_the_flag_is_the_command_wherever_it_stands(program: Program, clip: Path, tmp_path: Path, place: str) -> None:
    line = [*SIDECAR, "-i", str(clip), *USUAL, "--min-vmaf", "90", "--json"]
    flagged = list(line)
    flagged.insert({"first": 0, "middle": 4, "last": len(line)}[place], "--crf-search")
    as_command = program("crf-search", *line)
    as_flag = Program(home=tmp_path)(*flagged)
    assert as_command.code == as_flag.code == 0, as_flag.err
    assert _without_times(as_flag.json) == _without_times(as_command.json)


def test_json_is_one_object_with_everything_promised(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *USUAL, *SIDECAR, "--min-vmaf", "90", "--json")
    assert ended.code == 0 and ended.err == ""
    assert ended.out.count("\n") == 1
    report = ended.json
    assert report.keys() >= PROMISED
    assert all(probe.keys() >= PROMISED_OF_A_PROBE for probe in report["probes"])
    result = next(probe for probe in report["probes"] if probe["crf"] == report["crf"])
    assert result["vmaf"] == report["vmaf"] >= report["target"] == 90
    assert report["probe_count"] == len(report["probes"]) and report["explore_count"] == 0, "too short to explore"
    assert report["plugins"][0]["name"] == "ridge-sidecar" and report["plugins"][0]["captures"] == 0
    assert report["samples"] == [{"start_seconds": 0.0, "frames": 12}]


def test_json_is_printed_when_the_target_is_not_met_too(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "99.9", "--min-crf", "40", "--json")
    assert ended.code == 3
    assert ended.json["target_met"] is False and ended.json["stop"]["reason"] == "unreachable"
    assert "came closest" in ended.complaint()


def test_a_pipe_gets_plain_lines(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90", env={"FORCE_COLOR": ""})
    assert ended.code == 0
    for line in (ended.out + ended.err).splitlines():
        assert line.isprintable(), line
    assert re.match(r"crf [\d.]+  VMAF 9\d\.\d\d \(verified, 12 frames\)", ended.out)


def test_the_result_is_the_coarsest_crf_that_was_seen_to_reach_the_target(program: Program, clip: Path) -> None:
    report = program.search(clip)
    good = [probe["crf"] for probe in report["probes"] if probe["vmaf"] >= 90]
    assert report["crf"] == max(good)


# Scored so much larger than it is encoded that exploring costs next to nothing beside verifying.
LARGE = ("--vmaf-scale", "960x540", "--min-vmaf", "90")


def test_what_was_explored_says_so_and_the_result_was_verified(program: Program, longer: Path, tmp_path: Path) -> None:
    ended = program("crf-search", "-i", longer, *X264, *LARGE, env={"FORCE_COLOR": ""})
    assert ended.code == 0, ended.err
    explored = [line for line in ended.err.splitlines() if "18 of 120 frames" in line]
    assert 1 <= len(explored) <= 2 and all(re.search(r"VMAF ~\d+\.\d ±\d\.\d ", line) for line in explored)
    assert re.match(r"crf [\d.]+  VMAF 9\d\.\d\d \(verified, 120 frames\)", ended.out)
    said = re.search(r"; (\d) verified and (\d) exploring encodes?, ", ended.out)
    assert said is not None and int(said[2]) == len(explored)

    again = program("crf-search", "-i", longer, *X264, *LARGE, "--json", "--plot", tmp_path / "figure.svg").json
    assert again["probe_count"] == again["explore_count"] == 0, "all of it was in the cache"
    purposes = [probe["purpose"] for probe in again["probes"]]
    assert (purposes.count("verify"), purposes.count("explore")) == (int(said[1]), int(said[2]))
    for probe in again["probes"]:
        assert (probe["deviation"] > 0.0) == (probe["purpose"] == "explore") == (probe["frames"] == 18)
    result = [probe for probe in again["probes"] if probe["crf"] == again["crf"] and probe["purpose"] == "verify"]
    assert [probe["vmaf"] for probe in result] == [again["vmaf"]]
    assert (tmp_path / "figure.svg").stat().st_size > 5000


def test_a_repeated_search_shows_what_was_verified_and_no_estimate(program: Program, longer: Path) -> None:
    program("crf-search", "-i", longer, *X264, *LARGE)
    ended = program("crf-search", "-i", longer, *X264, *LARGE)
    assert "from the cache" in ended.err and "~" not in ended.err


@pytest.mark.parametrize("how", ["option", "configuration", "pool"])
def test_exploring_can_be_switched_off(program: Program, longer: Path, tmp_path: Path, how: str) -> None:
    (tmp_path / "vmaf-tune.toml").write_text("[search]\nexplore = false\n" if how == "configuration" else "")
    more = {"option": ["--no-explore"], "configuration": [], "pool": ["--pool", "p50"]}[how]
    ended = program("crf-search", "-i", longer, *X264, *LARGE, *more, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.json["explore_count"] == 0 and {probe["purpose"] for probe in ended.json["probes"]} == {"verify"}


def test_a_second_search_uses_what_the_first_has_learned(program: Program, clip: Path, tmp_path: Path) -> None:
    at_once = tmp_path / "at-once.toml"
    at_once.write_text("[plugins.ridge-sidecar]\nminimum-sources = 1\n")
    first = program.search(clip, *SIDECAR, "--config", at_once)
    second = program.search(clip, *SIDECAR, "--config", at_once, "--no-cache")
    assert second["plugins"][0]["captures"] == first["probe_count"]
    assert second["plugins"][0]["correction_vmaf"] != 0.0
    error = [abs(r["predicted_vmaf"] - r["vmaf"]) for r in (first, second)]
    assert error[1] < error[0]


def test_the_result_is_drawn(program: Program, clip: Path, tmp_path: Path) -> None:
    figure = tmp_path / "figure.svg"
    program.search(clip, "--plot", figure)
    assert "after the probes" in figure.read_text() or figure.stat().st_size > 5000

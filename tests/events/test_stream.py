"""``--events jsonl`` on real runs: every step in order, nothing else on standard output, always a last line."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program, install
from tests.events.conftest import Events, kinds

SLOW = ("-e", "libx264", "--preset", "veryslow", "--no-cache", "--events", "jsonl")


def test_a_search_tells_every_step(program: Program, clip: Path, events: Events) -> None:
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--events", "jsonl")
    assert (ended.code, ended.err) == (0, "")
    told = events(ended)
    report = told[-1]["search"]
    steps = [kind for _ in report["probes"] for kind in ("probing", "probed")]
    assert kinds(told) == ["started", "prepared", "predicted", *steps, "result"]
    by_kind = {event["event"]: event for event in told}
    assert by_kind["started"]["job"] == "crf-search" and by_kind["started"]["inputs"] == [str(clip)]
    prepared = by_kind["prepared"]
    assert (prepared["width"], prepared["height"], prepared["samples"][0]["frames"]) == (192, 108, 12)
    assert (prepared["target"], prepared["encoder"]) == (90.0, "libx264")
    predicted = by_kind["predicted"]
    assert predicted["crf"] == report["predicted_crf"]
    assert len(predicted["crfs"]) == len(predicted["mean"]) == len(predicted["deviation"]) > 10
    assert [event["probe"] for event in told if event["event"] == "probed"] == report["probes"]
    assert told[-1]["exit_code"] == 0 and told[-1]["message"] is None
    assert [e["unix_seconds"] for e in told] == sorted(e["unix_seconds"] for e in told)


def test_the_result_is_what_json_prints(program: Program, clip: Path, encode: Path, events: Events) -> None:
    for name, line in {
        "score": ["score", clip, encode, "--vmaf-scale", "none", "--per-frame"],
        "predict": ["predict", "-i", clip, "-e", "libx264"],
        "worst_frames": ["worst-frames", clip, encode, "--vmaf-scale", "none"],
        "search": ["crf-search", "-i", clip, *X264, "--min-vmaf", "90"],
    }.items():
        program(*line)  # features and probes are cached from now on
        told = events(program(*line, "--events", "jsonl"))
        plain = program(*line, "--json").json
        result = told[-1][name]
        for seconds in ("total_seconds",):
            result.pop(seconds, None), plain.pop(seconds, None)
        assert result == plain
        assert kinds(told)[0] == "started" and told[0]["job"] == line[0]


def test_probes_from_the_cache_are_told(program: Program, clip: Path, events: Events) -> None:
    first = program.search(clip)
    told = events(program("crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--events", "jsonl"))
    cached = [event["probe"]["crf"] for event in told if event["event"] == "probed" and event["probe"]["cached"]]
    assert sorted(cached) == sorted(probe["crf"] for probe in first["probes"])
    assert "probing" not in kinds(told)


def test_progress_comes_and_not_too_often(program: Program, longer: Path, events: Events) -> None:
    ended = program(
        "crf-search", "-i", longer, *X264, "--vmaf-scale", "960x540", "--min-vmaf", "90", "--events", "jsonl"
    )
    progress = [event for event in events(ended) if event["event"] == "progress"]
    assert {event["step"] for event in progress} == {"probe"}
    assert all(0 < event["share"] <= 1 for event in progress)
    times = [event["unix_seconds"] for event in progress]
    assert all(later - earlier > 0.2 for earlier, later in itertools.pairwise(times))


def test_a_target_that_cannot_be_met_is_a_result(program: Program, clip: Path, events: Events) -> None:
    line = ["crf-search", "-i", clip, *X264, "--min-vmaf", "99.9", "--min-crf", "40", "--events", "jsonl"]
    ended = program(*line)
    last = events(ended)[-1]
    assert ended.code == 3 == last["exit_code"] and last["search"]["target_met"] is False
    assert last["message"] == ended.complaint()


@pytest.mark.parametrize(
    "line",
    [
        ["crf-search", "-i", "nosuch.mkv"],
        ["crf-search", "-i", "nosuch.mkv", "--min-vmaf", "101"],
        ["crf-search", "-i", "nosuch.mkv", "--min-vmaf", "high"],
        ["crf-search", "--nosuch"],
        ["crf-search"],
        ["crf-search", "-i", "nosuch.mkv", "--json"],
        ["score", "nosuch.mkv", "nosuch.mkv"],
        ["worst-frames", "nosuch.mkv"],
        ["predict", "-i", "nosuch.mkv", "--predictor", "nosuch"],
    ],
)
def test_a_mistake_is_an_error_in_the_words_of_the_screen(program: Program, line: list[str], events: Events) -> None:
    ended = program(*line, "--events", "jsonl")
    last = events(ended)[-1]
    assert (last["event"], last["exit_code"], last["message"]) == ("error", 2, ended.complaint())
    assert ended.code == 2


def test_only_jsonl_is_known(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, "--events", "xml")
    assert ended.code == 2 and "jsonl" in ended.complaint()


def test_warnings_are_told(program: Program, clip: Path, events: Events) -> None:
    (program.home / "vmaf-tune.toml").write_text("[plugins.nosuch]\nenabled = false\n")
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--events", "jsonl")
    warned = [event["text"] for event in events(ended) if event["event"] == "warning"]
    assert len(warned) == 1 and "nosuch" in warned[0] and warned[0] in ended.err


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_search_that_is_ended_says_so(
    program: Program, longer: Path, events: Events, signal_number: signal.Signals, code: int
) -> None:
    child = program.start("crf-search", "-i", longer, *SLOW)
    assert child.stdout is not None
    read = b""
    while b'"probing"' not in read:
        read += child.stdout.readline()
    os.kill(child.pid, signal_number)
    rest = child.stdout.read()
    assert child.wait() == code
    last = events(read + rest)[-1]
    assert (last["event"], last["exit_code"]) == ("error", code)


def test_what_a_plugin_prints_is_not_among_the_events(program: Program, clip: Path, events: Events) -> None:
    loud = install(program, "loud", "import os\nprint('a plugin that prints')\nos.write(1, b'in any way\\n')\n")
    ended = loud("crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--events", "jsonl")
    assert events(ended)[-1]["event"] == "result"
    assert "a plugin that prints" in ended.err and "in any way" in ended.err


def test_each_line_is_there_when_it_happens(program: Program, longer: Path) -> None:
    child = program.start("crf-search", "-i", longer, *SLOW)
    assert child.stdout is not None
    first = json.loads(child.stdout.readline())
    assert first["event"] == "started" and child.poll() is None
    child.terminate()
    child.communicate()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
def test_a_reader_that_goes_away_ends_the_search(program: Program, longer: Path) -> None:
    child = program.start("crf-search", "-i", longer, *SLOW)
    assert child.stdout is not None and child.stderr is not None
    while b'"probing"' not in child.stdout.readline():
        pass
    child.stdout.close()
    assert child.wait(60) == 1
    assert child.stderr.read() == b""
    assert program.left_behind() == []


def test_a_name_that_is_not_utf8_is_told(program: Program, clip: Path, events: Events) -> None:
    odd = program.home / os.fsdecode(b"odd\xff.mkv")
    odd.write_bytes(clip.read_bytes())
    told = events(program("score", odd, clip, "--vmaf-scale", "none", "--events", "jsonl"))
    assert told[0]["inputs"][0] == str(odd) and told[-1]["event"] == "result"


def test_the_screen_stays_on_standard_error_of_a_terminal(program: Program, clip: Path, events: Events) -> None:
    """With a terminal for standard error and a pipe for the events, a person sees the search as ever."""
    pty = pytest.importorskip("pty", reason="no pseudo-terminals here")
    leader, follower = pty.openpty()
    command = program.command("crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--events", "jsonl")
    child = subprocess.Popen(
        command, env=program.env(TERM="xterm"), cwd=program.home, stdout=subprocess.PIPE, stderr=follower
    )
    os.close(follower)
    assert child.stdout is not None
    shown = bytearray()
    os.set_blocking(leader, False)
    out = bytearray()
    os.set_blocking(child.stdout.fileno(), False)
    while child.poll() is None:
        for descriptor, kept in ((leader, shown), (child.stdout.fileno(), out)):
            with contextlib.suppress(OSError):
                kept += os.read(descriptor, 65536)
        time.sleep(0.02)
    os.set_blocking(child.stdout.fileno(), True)
    out += child.stdout.read() or b""
    os.close(leader)
    assert b"frames to score" in shown
    assert events(bytes(out))[-1]["event"] == "result"


def test_the_schema_can_be_printed() -> None:
    done = subprocess.run([sys.executable, "-m", "vmaftune.events"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["title"].startswith("vmaf-tune --events jsonl, version 1")

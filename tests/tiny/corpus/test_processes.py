"""Several processes on one cache, and processes that are killed."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.cli.conftest import FFMPEG, Program
from tests.tiny.corpus.conftest import PAIRS
from tests.tiny.corpus.test_load import same
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.tiny.corpus.load import load_table
from vmaftune.tiny.tablefile import read_table


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home=home)


def _counting(folder: Path, seconds: float = 0.0) -> tuple[Path, Path]:
    """An ffmpeg that notes every scoring of a distorted file, and takes its time over it."""
    log, path = folder / "scorings.txt", folder / "ffmpeg"
    path.write_text(f'#!/bin/sh\ncase "$*" in */dis/*) echo run >> {log}; sleep {seconds};; esac\nexec {FFMPEG} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path, log


def _arguments(corpus: Path, cache: Path, *more: str | Path) -> tuple[str | Path, ...]:
    return ("tiny", "features", corpus, "--tiny-cache", cache, *more)


def test_two_processes_do_no_pair_twice(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path, program: Program) -> None:
    slow, log = _counting(tmp_path, 0.3)
    cache = tmp_path / "cache"
    running = [
        program.start(*_arguments(corpus, cache, "--ffmpeg", slow, "-o", tmp_path / f"{name}.npz"))
        for name in ("one", "two")
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert log.read_text().splitlines() == ["run"] * PAIRS
    one, two = read_table(tmp_path / "one.npz"), read_table(tmp_path / "two.npz")
    assert same(one, two) and same(one, load_table(corpus, ffmpeg, cache=tmp_path / "another"))


def test_killed_in_the_middle_and_resumed(corpus: Path, ffmpeg: Ffmpeg, tmp_path: Path, program: Program) -> None:
    slow, log = _counting(tmp_path, 0.3)
    cache = tmp_path / "cache"
    process = program.start(*_arguments(corpus, cache, "--ffmpeg", slow))
    until = time.monotonic() + 60
    while len(there := sorted(cache.glob("*/*.json"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    there = sorted(cache.glob("*/*.json"))
    assert 2 <= len(there) < PAIRS
    for path in there:
        json.loads(path.read_bytes())
    before = len(log.read_text().splitlines())
    ended = program(*_arguments(corpus, cache, "--ffmpeg", slow, "-o", tmp_path / "resumed.npz"))
    assert ended.code == 0, ended.err
    assert len(log.read_text().splitlines()) - before == PAIRS - len(there)
    assert same(read_table(tmp_path / "resumed.npz"), load_table(corpus, ffmpeg, cache=tmp_path / "another"))
    assert program.left_behind() == []


def test_an_interrupt_keeps_what_is_done(corpus: Path, tmp_path: Path, program: Program) -> None:
    slow, _ = _counting(tmp_path, 0.3)
    process = program.start(*_arguments(corpus, tmp_path / "cache", "--ffmpeg", slow))
    while not list((tmp_path / "cache").glob("*/*.json")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=180)
    assert process.returncode == 130
    assert b"the same command goes on from there" in said and b"Traceback" not in said


def test_what_a_person_reads(corpus: Path, tmp_path: Path, program: Program) -> None:
    ended = program(*_arguments(corpus, tmp_path / "cache", "--jobs", "2", "-o", tmp_path / "table.npz"))
    assert ended.code == 0 and ended.out.startswith(f"2 sources, {PAIRS} clips, 50 frames\n  targets   0 to  20:")
    assert f"{PAIRS} pairs to do, 0 there" in ended.err and f"{PAIRS}/{PAIRS} Old_Town_80_90_400: VMAF" in ended.err
    warm = program(*_arguments(corpus, tmp_path / "cache"))
    assert (warm.code, warm.out, warm.err) == (0, ended.out, "")
    assert program("tiny", "features", tmp_path / "table.npz").out == ended.out


def test_a_mistake_is_one_line(corpus: Path, tmp_path: Path, program: Program) -> None:
    (corpus / "dis" / "Lost_20_90_100.mkv").write_bytes(b"x")
    ended = program(*_arguments(corpus, tmp_path / "cache"))
    assert ended.code == 2 and ended.complaint().startswith("dis/Lost_20_90_100.mkv has no reference")
    ended = program("tiny", "features", tmp_path / "nowhere")
    assert ended.code == 2 and "a corpus is a folder with ref/ and dis/ in it" in ended.complaint()

"""A corpus made from clips: the layout, the pictures, and what a killed run leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.conftest import Clips
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts
from vmaftune.tiny.corpus.guess import Told
from vmaftune.tiny.corpus.load import load_table
from vmaftune.tiny.corpus.pairs import list_pairs

NOTHING = Told()
FAST = ("--encoders", "libx264:ultrafast", "--heights", "native,1/2", "--frames", "8")
DISTORTIONS = 4


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home=home)


@pytest.fixture
def folder(clips: Clips, tmp_path: Path) -> Path:
    """Two clips; the one's sides are odd, and it is full-range and longer than what is taken of it."""
    odd = ("-c:v", "ffv1", "-pix_fmt", "yuvj444p")
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copy(clips.lavfi("odd.mkv", "testsrc2=size=161x91:rate=30000/1001:duration=1", odd), folder)
    shutil.copy(clips.lavfi("plain_1.mp4", "mandelbrot=size=128x96:rate=25,trim=end_frame=8,format=yuv420p"), folder)
    return folder


def _files(corpus: Path) -> dict[str, bytes]:
    found = (path for path in corpus.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(corpus)): path.read_bytes() for path in found}


def test_the_layout_is_netflix_s(folder: Path, program: Program, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    ended = program("tiny", "make-corpus", folder, "-o", corpus, *FAST, "--jobs", "2")
    assert ended.code == 0 and ended.out == f"{corpus}: 2 clips, 2 done now in {ended.out.split(' in ')[1]}", ended.err
    assert sorted(path.name for path in (corpus / "ref").iterdir()) == ["odd_29.97fps.mkv", "plain_1_25fps.mkv"]
    pairs = list_pairs(corpus, NOTHING)
    assert len(pairs) == 2 * DISTORTIONS and {pair.source for pair in pairs} == {"odd", "plain_1"}
    odd = read_facts(corpus / "ref" / "odd_29.97fps.mkv")
    assert (odd.width, odd.height, odd.pix_fmt) == (160, 90, "yuv420p") and odd.fps == pytest.approx(29.97, abs=0.01)
    table = load_table(corpus, ffmpeg, cache=tmp_path / "cache")
    assert len(table) == 2 * DISTORTIONS * 8
    assert table.scores.max() > 95 and table.scores.min() < 50


def test_a_second_run_makes_nothing_and_the_same_again(folder: Path, program: Program, tmp_path: Path) -> None:
    corpus, other = tmp_path / "corpus", tmp_path / "other"
    make = ("tiny", "make-corpus", folder, *FAST)
    assert program(*make, "-o", corpus).code == 0
    times = {path: path.stat().st_mtime_ns for path in corpus.rglob("*.mkv")}
    assert program(*make, "-o", corpus).code == 0
    assert times == {path: path.stat().st_mtime_ns for path in corpus.rglob("*.mkv")}
    assert program(*make, "-o", other, "--jobs", "2").code == 0
    assert _files(corpus).keys() == _files(other).keys()
    distorted = {name: content for name, content in _files(corpus).items() if name.startswith("dis/")}
    assert distorted == {name: content for name, content in _files(other).items() if name.startswith("dis/")}


def test_killed_and_resumed(folder: Path, program: Program, tmp_path: Path) -> None:
    corpus, other = tmp_path / "corpus", tmp_path / "other"
    make = ("tiny", "make-corpus", folder, *FAST)
    process = program.start(*make, "-o", corpus)
    until = time.monotonic() + 60
    while len(list(corpus.glob("dis/*.mkv"))) < 2 and time.monotonic() < until:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 2 <= len(list(corpus.glob("dis/*.mkv"))) < 2 * DISTORTIONS
    (corpus / "dis" / ".odd_left.part").write_bytes(b"half")
    ended = program(*make, "-o", corpus)
    assert ended.code == 0, ended.err
    assert program(*make, "-o", other).code == 0
    assert _files(corpus).keys() == _files(other).keys()


def test_raw_video_knows_its_geometry(folder: Path, program: Program, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    assert program("tiny", "make-corpus", folder, "-o", corpus, *FAST, "--raw", "--max-height", "64").code == 0
    assert {path.suffix for path in corpus.glob("*/*")} == {".yuv"}
    assert not list(corpus.glob("*/.*"))
    pairs = list_pairs(corpus, NOTHING)
    assert len(pairs) == 2 * DISTORTIONS and all(min(_size(pair.distorted.stamp.geometry)) == 64 for pair in pairs)
    assert len(load_table(corpus, ffmpeg, cache=tmp_path / "cache")) == 2 * DISTORTIONS * 8


def _size(geometry: object) -> tuple[int, int]:
    return geometry.width, geometry.height  # type: ignore[attr-defined]


def test_clips_of_one_film_and_other_options(folder: Path, program: Program, tmp_path: Path) -> None:
    corpus, manifest = tmp_path / "corpus", tmp_path / "films.csv"
    manifest.write_text(f"file,source,kind\n{folder}/odd.mkv,film,test\n{folder}/plain_1.mp4,film,test\n")
    make = ("tiny", "make-corpus", "-o", corpus, "--manifest", manifest, *FAST)
    assert program(*make).code == 0
    assert json.loads((corpus / "manifest.json").read_text())["sources"] == {"odd": "film", "plain_1": "film"}
    assert {pair.source for pair in list_pairs(corpus, NOTHING)} == {"film"}
    ended = program(*make, "--crfs", "2")
    assert ended.code == 2 and "holds a corpus made otherwise" in ended.complaint()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "no source is named"),
        (("CLIPS", "--encoders", "libx999"), "libx999: no such encoder"),
        (("CLIPS", "--encoders", "libx264:warp"), "preset warp: libx264 has no such preset"),
        (("CLIPS", "--heights", "tall"), "--heights: 'tall' is neither native"),
        (("CLIPS/none.mkv",), "cannot open"),
    ],
)
def test_a_mistake_is_one_line(
    folder: Path, program: Program, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    given = [text.replace("CLIPS", str(folder)) for text in arguments]
    ended = program("tiny", "make-corpus", *given, "-o", tmp_path / "corpus")
    assert ended.code == 2 and complaint in ended.complaint()
    assert not (tmp_path / "corpus").exists()

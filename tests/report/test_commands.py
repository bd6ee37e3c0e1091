"""``--report`` of every command, through the real program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program, clip, clips, longer, program

__all__ = ["clip", "clips", "longer", "program"]

TITLE = re.compile(r"<h1>.*</span> (.*)</h1>")


def title(file: Path) -> str:
    found = TITLE.search(file.read_text("utf-8"))
    assert found is not None
    return found[1]


def test_search(program: Program, longer: Path) -> None:
    report = program.search(longer, "--report", "out.html")
    html = (program.home / "out.html").read_text("utf-8")
    assert title(program.home / "out.html") == f"CRF {report['crf']:g} gives VMAF {report['vmaf']:.2f}"
    assert html.count("data:image/jpeg") == 8
    assert not program.left_behind()


def test_search_without_a_cache(program: Program, clip: Path) -> None:
    """Scores of single frames are there, though nothing is kept."""
    program.search(clip, "--report", "out.html", "--no-cache")
    html = (program.home / "out.html").read_text("utf-8")
    assert "The worst frames" in html and "VMAF of 12 frames" in html


def test_search_that_misses(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "99.9", "--min-crf", "40", "--report", "out.html")
    assert ended.code == 3
    assert title(program.home / "out.html") == "VMAF 99.9 was not reached"


@pytest.mark.parametrize("command", ["crf-search", "encode", "compare", "ladder", "batch"])
def test_refused_before_the_work(program: Program, clip: Path, command: str) -> None:
    source = [clip] if command == "batch" else ["-i", clip]
    ended = program(command, *source, "--report", "nowhere/out.html")
    assert ended.code == 2 and ended.complaint().startswith("cannot write --report nowhere/out.html")


def test_names_that_mean_harm(program: Program, clip: Path) -> None:
    film = program.home / '<script>alert(1)<⁄script>\u202e\n"\udcff.mkv'
    film.write_bytes(clip.read_bytes())
    program.search(film, "--report", "out.html")
    html = (program.home / "out.html").read_text("utf-8")
    assert html.count("<script>") == 1 and "\u202e" not in html and "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize("final", [False, True], ids=["of the samples", "of the whole"])
def test_encode(program: Program, longer: Path, final: bool) -> None:
    flags = ["--final-score"] if final else []
    ended = program("encode", "-i", longer, *X264, "--min-vmaf", "90", "-o", "out.mkv", *flags, "--report", "out.html")
    assert ended.code == 0, ended.err
    html = (program.home / "out.html").read_text("utf-8")
    assert ("All 120 frames of the encode were scored" in html) == final
    assert "The pictures are of the finished encode" in html and html.count("data:image/jpeg") == 8


def test_encode_at_a_crf(program: Program, clip: Path) -> None:
    ended = program("encode", "-i", clip, *X264, "--crf", "30", "-o", "out.mkv", "--report", "out.html")
    assert ended.code == 0, ended.err
    assert title(program.home / "out.html").endswith("at CRF 30")


def test_compare(program: Program, clip: Path) -> None:
    encoders = ("-e", "libx264:ultrafast", "-e", "libx264:superfast", "--vmaf-scale", "none")
    ended = program("compare", "-i", clip, *encoders, "--min-vmaf", "90", "--no-bd-rate", "--report", "out.html")
    assert ended.code == 0, ended.err
    assert "libx264 superfast" in title(program.home / "out.html") or "libx264 ultrafast" in title(
        program.home / "out.html"
    )


def test_ladder(program: Program, clip: Path) -> None:
    ended = program(
        "ladder", "-i", clip, *X264, "--min-vmaf", "85", "--heights", "108,54", "--rungs", "3", "--report", "out.html"
    )
    assert ended.code == 0, ended.err
    html = (program.home / "out.html").read_text("utf-8")
    assert "192×108" in html and "96×54" in html and "convex hull" in html


def test_batch(program: Program, clip: Path) -> None:
    films = program.home / "films"
    films.mkdir()
    for name in ("one.mkv", "two & three.mkv"):
        (films / name).write_bytes(clip.read_bytes())
    (films / "broken.mkv").write_bytes(clip.read_bytes()[:2000])
    ended = program("batch", "films", *X264, "--min-vmaf", "90", "--report", "out.html")
    assert ended.code == 1
    assert title(program.home / "out.html") == "2 files done, 1 failed"
    html = (program.home / "out.html").read_text("utf-8")
    assert "films/two &amp; three.mkv" in html and "films/broken.mkv" in html and "Why it failed" in html

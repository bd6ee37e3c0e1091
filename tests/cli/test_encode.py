"""``vmaf-tune encode`` as a person runs it: what it writes, what it never writes, and what is left when it is killed."""

from __future__ import annotations

import os
import re
import shlex
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import SIDECAR, USUAL, X264, Ended, Program, ffmpeg
from tests.cli.test_bad_disks import disk_of, fill
from vmaftune.jobs.encode_report import EncodeReport

GIVEN = (*X264, "--crf", "30")


@pytest.fixture
def film(clip: Path, tmp_path: Path) -> Path:
    """The clip in a folder of its own."""
    path = tmp_path / "films" / "film.mkv"
    path.parent.mkdir()
    path.write_bytes(clip.read_bytes())
    return path


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that takes seconds to encode and megabytes to hold."""
    path = tmp_path_factory.mktemp("noise") / "noise.mkv"
    source = "nullsrc=size=640x360:rate=25:duration=6,geq=random(1)*255:128:128"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "30", path)
    return path


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_it_searches_encodes_and_tells(program: Program, film: Path) -> None:
    ended = program("encode", "-i", film, *X264, "--min-vmaf", "90", env={"FORCE_COLOR": ""})
    assert ended.code == 0, ended.err
    made = film.with_name("film.libx264.mkv")
    assert _names(film.parent) == {"film.mkv", made.name}
    assert ended.out.startswith(f"{made}: ") and "target 90" in ended.out
    assert "streams video h264, encoded with libx264" in ended.out
    assert "frames  12, 0.5 s; each was decoded" in ended.out
    assert re.search(r"encoding at CRF [\d.]+, 12 frames\n  checking every frame", ended.err)
    assert program.left_behind() == []
    score = program("score", "--vmaf-scale", "none", "--json", film, made)
    said = re.search(r"VMAF    (\d+\.\d+) of the samples", ended.out)
    assert said is not None and score.json["vmaf"] == pytest.approx(float(said[1]), abs=0.01)


def test_the_command_that_a_search_prints_is_the_one_that_is_run(program: Program, film: Path) -> None:
    printed = program.search(film)["encode_command"]
    report = program("encode", "-i", film, *X264, "--min-vmaf", "90", "--json").json
    assert report["command"] == printed
    assert shlex.split(printed)[-1] == f"file:{report['output']}"
    whole = set(EncodeReport.__struct_fields__)
    assert report.keys() == whole and report["search"]["crf"] == report["crf"] and report["final_vmaf"] is None


def _forbidden(program: Program, film: Path, output: Path, *more: str) -> Ended:
    content = film.read_bytes()
    ended = program("encode", "-i", film, *GIVEN, "-o", output, *more)
    assert ended.code == 2 and film.read_bytes() == content
    return ended


def test_what_is_there_is_not_lost(program: Program, film: Path) -> None:
    other = film.with_name("other.mkv")
    other.write_text("precious")
    assert "--overwrite" in _forbidden(program, film, other).complaint()
    assert other.read_text() == "precious" and len(_names(film.parent)) == 2
    assert program("encode", "-i", film, *GIVEN, "-o", other, "--overwrite").code == 0
    assert other.stat().st_size > 1000 and len(_names(film.parent)) == 2


@pytest.mark.parametrize("way", ["itself", "link", "hard link", "linked source", "other spelling"])
@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_the_source_is_never_written(program: Program, film: Path, way: str, more: tuple[str, ...]) -> None:
    source, output = film, film.with_name("link.mkv")
    if way == "itself":
        output = film
    elif way == "link":
        output.symlink_to(film)
    elif way == "hard link":
        os.link(film, output)
    elif way == "linked source":
        output.symlink_to(film)
        source, output = output, film
    else:
        output = film.parent / ".." / "films" / film.name
    assert "is the source itself" in _forbidden(program, source, output, *more).complaint()


def test_a_link_to_nowhere_is_something_too(program: Program, film: Path) -> None:
    link = film.with_name("link.mkv")
    link.symlink_to(film.with_name("nowhere.mkv"))
    assert "exists" in _forbidden(program, film, link).complaint()
    assert link.is_symlink()


@pytest.mark.parametrize("output", ["missing/out.mkv", "folder.mkv", "out.avi", "out"])
def test_an_output_that_cannot_be(program: Program, film: Path, output: str) -> None:
    (film.parent / "folder.mkv").mkdir()
    _forbidden(program, film, film.parent / output).complaint()
    assert _names(film.parent) == {"film.mkv", "folder.mkv"}


def test_an_encode_over_the_size_is_not_kept(program: Program, film: Path) -> None:
    ended = program("encode", "-i", film, *X264, "--crf", "1", "--max-encoded-percent", "20")
    assert ended.code == 3 and "over --max-encoded-percent 20" in ended.complaint()
    assert _names(film.parent) == {"film.mkv"}
    ended = program("encode", "-i", film, *X264, "--min-vmaf", "98", "--max-encoded-percent", "1")
    assert ended.code == 3 and "within --max-encoded-percent" in ended.complaint()
    assert _names(film.parent) == {"film.mkv"}, "refused before it was encoded"
    assert "encoding" not in ended.err


def test_a_target_out_of_reach_makes_no_file(program: Program, film: Path) -> None:
    ended = program("encode", "-i", film, *X264, "--min-vmaf", "99.9", "--min-crf", "40")
    assert ended.code == 3 and "came closest" in ended.complaint()
    assert _names(film.parent) == {"film.mkv"}


def test_the_whole_is_scored_and_learned_from(program: Program, longer: Path, tmp_path: Path) -> None:
    """A sample of the first second stands for five; the truth is learned beside its score."""
    line: list[str | Path] = ["encode", "-i", longer, *USUAL, *SIDECAR, "--min-vmaf", "90", "--final-score", "--json"]
    part = ["--samples", "1", "--sample-duration", "1"]
    report = program(*line, *part, "-o", tmp_path / "out.mkv").json
    true = program("score", "--json", longer, tmp_path / "out.mkv").json["vmaf"]
    assert report["final_vmaf"] == pytest.approx(true, abs=0.001) != report["search"]["vmaf"]
    status = program("sidecar", "status", "--json").json
    (learned,) = (entry["state"]["captures"] for entry in status["states"])
    assert learned == report["search"]["probe_count"] + 1


def test_a_whole_below_the_target_is_kept_and_said(program: Program, tmp_path: Path) -> None:
    film = tmp_path / "two.mkv"
    easy, hard = "color=gray:size=160x90:rate=25:duration=4", "mandelbrot=size=160x90:rate=25,trim=duration=4"
    graph = f"{easy},format=yuv420p[a];{hard},format=yuv420p,setsar=1[b];[a][b]concat"
    ffmpeg("-filter_complex", graph, "-c:v", "libx264", "-crf", "4", "-g", "25", film)
    part = ["--samples", "1", "--sample-duration", "0.5", "--min-vmaf", "97", "--tolerance", "0"]
    part = [*part, "--final-score", "--no-explore", "--min-crf", "30"]
    ended = program("encode", "-i", film, *X264, *part)
    assert ended.code == 3 and "the whole has VMAF" in ended.err.splitlines()[-1], ended.out + ended.err
    assert film.with_name("two.libx264.mkv").is_file() and "from the samples'" in ended.out


def test_made_before_is_done(program: Program, film: Path) -> None:
    line: list[str | Path] = ["encode", "-i", film, *GIVEN, "--resume", "--json"]
    first = program(*line)
    made = film.with_name("film.libx264.mkv")
    stamp = made.stat()
    again = program(*line)
    assert again.code == 0 and again.json == first.json
    assert (made.stat().st_mtime_ns, made.stat().st_ino) == (stamp.st_mtime_ns, stamp.st_ino)
    assert program(*line, "--preset", "superfast").code == 2, "other settings"
    assert program("encode", "-i", film, *GIVEN).code == 2, "not asked to"
    made.write_bytes(made.read_bytes() + b"x")
    assert program(*line).code == 2, "changed since"


def test_a_killed_encode_leaves_nothing_under_its_name(program: Program, noise: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    line: list[str | Path] = ["encode", "-i", noise, "-e", "libx264", "--preset", "slow", "--crf", "10"]
    seen: set[Path] = set()
    for number in range(3):
        child = program.start(*line, "-o", folder / "out.mkv", "--no-verify")
        parts: list[Path] = []
        while child.poll() is None and not parts:
            parts = [path for path in folder.glob("*/encode.part") if path not in seen]
            time.sleep(0.02)
        seen.update(parts)
        time.sleep(0.2 * number)
        assert child.poll() is None, "it was killed in the midst"
        os.kill(child.pid, signal.SIGKILL if number < 2 else signal.SIGTERM)
        child.wait()
        assert not (folder / "out.mkv").exists()
        assert len(_names(folder)) == (2 if number < 2 else 0), "one killed run's folder and its lock at most"
    assert program(*line, "-o", folder / "out.mkv").code == 0
    assert _names(folder) == {"out.mkv"}


def test_two_runs_of_one_output_are_one(program: Program, noise: Path, tmp_path: Path) -> None:
    line: list[str | Path] = ["encode", "-i", noise, "-e", "libx264", "--preset", "slow", "--crf", "10"]
    child = program.start(*line, "-o", tmp_path / "out.mkv")
    while child.poll() is None and not list(tmp_path.glob("*/encode.part")):
        time.sleep(0.02)
    second = program(*line, "-o", tmp_path / "out.mkv")
    assert second.code == 2 and "another run" in second.complaint()
    assert child.wait() == 0 and (tmp_path / "out.mkv").is_file()


def test_a_full_disk_is_one_line_and_leaves_nothing(program: Program, noise: Path, tmp_path: Path) -> None:
    with disk_of(tmp_path / "disk", 400) as disk:
        fill(disk, leaving_kib=200)
        ended = program("encode", "-i", noise, *X264, "--crf", "1", "-o", disk / "out.mkv")
        assert _names(disk) == {"fill"}
    assert ended.code == 1 and "no room for the encode" in ended.complaint()
    assert program.left_behind() == []


def test_a_cache_that_cannot_be_written_stops_no_encode(program: Program, film: Path) -> None:
    file = program.home / "file"
    file.write_text("no folder")
    ended = program("encode", "-i", film, *GIVEN, env={"XDG_CACHE_HOME": str(file)})
    assert ended.code == 0 and _names(film.parent) == {"film.mkv", "film.libx264.mkv"}


def test_a_hostile_name_is_a_name(program: Program, clip: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"-it's [a];b,c=d|e: 50%d \xff\n.mkv")
    (tmp_path / name).write_bytes(clip.read_bytes())
    ended = program("encode", f"--input={name}", *GIVEN, f"--output=-o {name}", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert (tmp_path / f"-o {name}").is_file()

"""``corpus`` measures curves into a file that a later call goes on with, whatever ended the one before."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.terminal import blocks
from tests.cli.test_terminal import HIDE, SHOW, start
from tests.corpus.conftest import made_row
from vmaftune.corpus.check import LEAST_SOURCES
from vmaftune.corpus.rows import CorpusRow, RowWriter, read_rows

FAST = "libx264:ultrafast"
_SEED = 20261121


@pytest.fixture
def folder(tmp_path: Path, clip: Path) -> Path:
    """Two films and a text, all called as videos are."""
    made = tmp_path / "videos"
    made.mkdir()
    for name in ("game__one.mkv", "two.mkv"):
        shutil.copy(clip, made / name)
    (made / "text.mkv").write_text("no video\n" * 50)
    return made


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def _keys(rows: Path) -> Counter[tuple[str, int, float]]:
    return Counter((row.clip, row.height, row.crf) for row in read_rows(rows))


def _line_with(child: subprocess.Popen[bytes], text: bytes) -> bytes:
    """What the child says on standard error, up to a line with ``text`` in it."""
    assert child.stderr is not None
    for line in child.stderr:
        if text in line:
            return line
    raise AssertionError(f"it ended without {text!r}")


def test_rows_are_measured_once(program: Program, clip: Path, rows: Path) -> None:
    line: list[str | Path] = ["corpus", "measure", clip, "-o", rows]
    first = program(*line, "--curve", f"{FAST}=40,30")
    assert first.code == 0 and first.out.startswith(f"{rows}: 2 rows, 2 measured now in ")
    second = program(*line, "--curve", f"{FAST}=30,40,35", "--curve", f"{FAST}=35,40")
    assert second.code == 0 and second.out.startswith(f"{rows}: 3 rows, 1 measured now in ")
    assert program(*line, "--curve", f"{FAST}=35").out.startswith(f"{rows}: 3 rows, 0 measured now in ")
    by_crf = {row.crf: row for row in read_rows(rows)}
    assert by_crf[30.0].vmaf_mean > by_crf[35.0].vmaf_mean > by_crf[40.0].vmaf_mean
    assert (by_crf[30.0].source, by_crf[30.0].kind, by_crf[30.0].frames) == ("clip", "unknown", 12)
    assert program.left_behind() == []


def test_a_folder_at_two_heights_in_the_order_of_curves(program: Program, folder: Path, rows: Path) -> None:
    (folder / "text.mkv").unlink()
    more = ["--curve", f"{FAST}=30", "--curve", "libsvtav1:13=50", "--heights", "native,64,720", "--max-frames", "6"]
    ended = program("corpus", "measure", folder, "-o", rows, *more, "--jobs", "2")
    assert ended.code == 0, ended.err
    measured = read_rows(rows)
    assert Counter((row.clip, row.width, row.height) for row in measured) == {
        (clip, *size): 2 for clip in ("game__one", "two") for size in ((192, 108), (114, 64))
    }
    assert [row.encoder for row in measured] == ["libx264"] * 4 + ["libsvtav1"] * 4
    assert {row.frames for row in measured} == {6} and {row.kind for row in measured} == {"game", "unknown"}
    lines = ended.err.splitlines()
    assert lines[0] == "8 rows to measure, 0 there" and len(lines) == 9
    assert lines[1].startswith("1/8 game__one ") and "libx264 ultrafast CRF 30: VMAF " in lines[1]
    assert lines[1].endswith("(estimating…)") and " rows/min, about " in lines[8]


def test_one_broken_file_among_good_ones(program: Program, folder: Path, rows: Path) -> None:
    ended = program("corpus", "measure", folder, "-o", rows, "--curve", f"{FAST}=30,40")
    assert ended.code == 1 and "4 rows, 4 measured now" in ended.out and ended.out.endswith(", 1 failure\n")
    said = f"{folder / 'text.mkv'} cannot be read as a video: "
    assert ended.err.splitlines()[1].startswith(f"0/4 failed: {said}")
    assert ended.err.splitlines()[-1].startswith(f"  1 source: {said}")
    assert ended.err.count("text.mkv") == 2 and "Traceback" not in ended.err


def test_a_file_that_is_cut_short_fails_once(program: Program, folder: Path, rows: Path, longer: Path) -> None:
    whole = longer.read_bytes()
    (folder / "text.mkv").write_bytes(whole[: len(whole) // 2])
    (folder / "two.mkv").unlink()
    ended = program("corpus", "measure", folder, "-o", rows, "--curve", f"{FAST}=30,40", "--heights", "native,64")
    assert ended.code == 1 and "4 rows, 4 measured now" in ended.out and ended.out.endswith(", 1 failure\n")
    assert ended.err.count("text.mkv is damaged or cut short") == 2


def test_a_failing_probe_leaves_the_others(program: Program, clip: Path, rows: Path) -> None:
    ended = program("corpus", "measure", clip, "-o", rows, "--curve", "h264_nvenc=20,30", "--curve", f"{FAST}=30")
    if "was built without" in ended.err:
        pytest.skip("no encoder that needs hardware")
    if ended.code == 0:
        pytest.skip("the hardware is there")
    assert ended.code == 1 and "1 row, 1 measured now" in ended.out and ended.out.endswith(", 2 failures\n")
    assert "  2 probes, such as clip.mkv 192x108 h264_nvenc p5 CRF 20: " in ended.err.splitlines()[-1]


def test_rows_of_other_frames_are_not_added(program: Program, clip: Path, rows: Path) -> None:
    line: list[str | Path] = ["corpus", "measure", clip, "-o", rows]
    assert program(*line, "--curve", f"{FAST}=30", "--max-frames", "6").code == 0
    ended = program(*line, "--curve", f"{FAST}=30,40")
    assert ended.code == 1 and "its rows there are of 6 frames, these would be of 12" in ended.err
    assert sum(_keys(rows).values()) == 1


def test_a_manifest_says_which_clips_are_of_one_film(program: Program, folder: Path, rows: Path) -> None:
    manifest = folder / "about.csv"
    manifest.write_text("file,source,kind\ngame__one.mkv,A film,animation\ntwo.mkv,A film,animation\n")
    ended = program("corpus", "measure", "--manifest", manifest, "-o", rows, "--curve", f"{FAST}=30")
    assert ended.code == 0, ended.err
    assert {(row.clip, row.source, row.kind) for row in read_rows(rows)} == {
        ("game__one", "A film", "animation"),
        ("two", "A film", "animation"),
    }
    manifest.write_text("file,source,kind\ntwo.mkv,Another,animation\n")
    ended = program("corpus", "measure", "--manifest", manifest, "-o", rows, "--curve", f"{FAST}=40")
    assert ended.code == 2 and "has two as a clip of A film, and now it is one of Another" in ended.complaint()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--curve", "libx264:fastest"], "preset fastest: libx264 has no such preset"),
        (["--curve", "x265"], "x265: no such encoder"),
        (["--curve", "libx264=20,x"], "separated by commas"),
        (["--curve", "libx264=nan"], "takes CRF 0 to 51"),
        (["--curve", "libx264=20,99"], "takes CRF 0 to 51"),
        (["--curve", FAST, "--heights", "native,tall"], "'tall' is neither native nor an even number"),
        (["--curve", FAST, "--heights", "361"], "'361' is neither native nor an even number"),
        (["--curve", FAST, "--heights", "720"], "no source is larger"),
        (["--curve", FAST, "--manifest", "missing.csv"], "cannot read the manifest missing.csv"),
        ([], "missing option '--curve'"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_run(
    program: Program, clip: Path, rows: Path, arguments: list[str], said: str
) -> None:
    ended = program("corpus", "measure", clip, "-o", rows, *arguments)
    assert ended.code == 2 and said in ended.complaint() and ended.out == ""
    assert not rows.exists() or rows.read_bytes() == b""


def test_a_source_must_be_there(program: Program, tmp_path: Path, rows: Path) -> None:
    line = ["-o", rows, "--curve", FAST]
    assert "no source is named" in program("corpus", "measure", *line).complaint()
    ended = program("corpus", "measure", tmp_path / "missing.mkv", *line)
    assert ended.code == 2 and "No such file" in ended.complaint()
    assert not rows.exists()


def test_a_file_that_is_no_corpus_is_not_written_to(program: Program, clip: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    shutil.copy(clip, film)
    ended = program("corpus", "measure", clip, "-o", film, "--curve", FAST)
    assert ended.code == 2 and "film.mkv" in ended.complaint()
    assert film.read_bytes() == clip.read_bytes()


def test_killed_at_any_moment_it_goes_on(program: Program, folder: Path, rows: Path) -> None:
    (folder / "text.mkv").unlink()
    curve = f"{FAST}=20,25,30,35"
    line: list[str | Path] = ["corpus", "measure", folder, "-o", rows, "--curve", curve, "--jobs", "2"]
    moments = random.Random(_SEED)
    there = 0
    for _ in range(3):
        child = program.start(*line)
        assert f", {there} there".encode() in _line_with(child, b"to measure")
        time.sleep(moments.uniform(0.2, 2.5))
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        whole = [part for part in rows.read_bytes().split(b"\n")[:-1] if part]
        assert len(whole) >= there
        there = len(whole)
    with rows.open("ab") as file:  # a row is written at once, so that no kill is likely to meet half of one
        file.write(b'{"source":"two","kind":"unk')
    ended = program(*line)
    assert ended.code == 0 and f"8 rows, {8 - there} measured now" in ended.out, ended.err
    assert _keys(rows) == {(clip, 108, crf): 1 for clip in ("game__one", "two") for crf in (20.0, 25.0, 30.0, 35.0)}
    assert program.left_behind() == []


def test_one_process_at_a_time(program: Program, longer: Path, rows: Path) -> None:
    line: list[str | Path] = ["corpus", "measure", longer, "-o", rows, "--curve", "libx264:veryslow=20"]
    child = program.start(*line)
    _line_with(child, b"to measure")
    ended = program(*line)
    assert ended.code == 2 and f"another process is measuring into {rows}" in ended.complaint()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert program("corpus", "measure", longer, "-o", rows, "--curve", f"{FAST}=40", "--max-frames", "2").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_how_to_go_on(program: Program, longer: Path, rows: Path, number: int, code: int) -> None:
    curves = ["--curve", f"{FAST}=40", "--curve", "libx264:placebo=10,20,30"]
    child = program.start("corpus", "measure", longer, "-o", rows, *curves, "--max-frames", "40")
    _line_with(child, b"1/4")
    os.kill(child.pid, number)
    _, rest = child.communicate(timeout=180)
    said = rest.decode().splitlines()
    assert child.returncode == code and "Traceback" not in rest.decode()
    assert f"{rows}: 1 row measured now; the same command goes on from there" in said
    assert code != 130 or said[-1] == "vmaf-tune: interrupted"
    assert sum(_keys(rows).values()) == 1 and program.left_behind() == []


def test_a_bar_is_shown_on_a_terminal(program: Program, clip: Path, rows: Path) -> None:
    crfs = "20,22,24,26,28,30,32,34"
    child, terminal = start(program, "corpus", "measure", clip, "-o", rows, "--curve", f"{FAST}={crfs}")
    seen = b"".join(blocks(terminal))
    os.close(terminal)
    assert child.wait() == 0
    assert HIDE in seen and seen.rfind(SHOW) > seen.rfind(HIDE)
    assert b"0/8 rows" in seen and "estimating…".encode() in seen and b"rows/min, about" in seen
    assert b"8 rows, 8 measured now in" in seen


def _made(rows: Path, *more: CorpusRow) -> Path:
    with RowWriter(rows) as writer:
        for source in range(LEAST_SOURCES):
            for crf in (12.0, 20.0, 28.0, 36.0, 44.0):
                mean = 100.0 - crf - source
                writer.append(made_row(source=f"film {source}", crf=crf, vmaf_mean=mean, bitrate_kbps=1e5 / crf))
        for row in more:
            writer.append(row)
    return rows


def test_a_population_of_few_rows(program: Program, rows: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    ended = program("corpus", "population", _made(rows, made_row(preset="slow")), "-o", tmp_path / "model")
    assert ended.code == 0 and ended.out == "libx264 medium: 5 sources\n"
    assert ended.err == f"vmaf-tune: {rows}: 1 curve with fewer than 3 CRFs left out\n"


def test_a_population_needs_rows(program: Program, rows: Path, tmp_path: Path) -> None:
    missing = program("corpus", "population", rows, "-o", tmp_path / "model")
    assert missing.code == 2 and "No such file" in missing.complaint()
    rows.write_text("no row\n")
    broken = program("corpus", "population", rows, "-o", tmp_path / "model")
    assert broken.code == 2 and "line 1 is no corpus row" in broken.complaint()
    rows.unlink()
    few = program("corpus", "population", _made(rows), "-o", tmp_path / "model", "--exclude", "film 0")
    assert few.code == 2 and "training needs at least 5" in few.complaint()
    assert not (tmp_path / "model").exists()

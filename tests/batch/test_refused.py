"""What can never succeed is refused before anything is queued; what is said of a file, and that it grew, is kept."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.batch.conftest import FAST, queue_file, results
from tests.batch.test_plan import plan
from tests.cli.conftest import Program, ffmpeg, without_privilege
from vmaftune.batch.messages import Result
from vmaftune.batch.queue import Queue, Wanted
from vmaftune.errors import UserError

X264 = ("-e", "libx264", "--preset", "ultrafast")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "film.mkv"
    file.write_bytes(b"x")
    return file


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["flim.mkv"], "cannot open flim.mkv: No such file or directory (did you mean film.mkv?); nothing was queued"),
        (["films"], "cannot open films: No such file"),
        (["film.mkv", "gone"], "cannot open gone: No such file"),
        (["/dev/null"], "/dev/null is no file"),
        (["list.txt"], "a table of videos ends in .csv"),
        (["list.csv"], "list.csv, line 3: cannot open gone.mkv"),
        (["empty.csv"], "empty.csv names no file"),
        (["film.mkv", "-e", "libx266"], "--encoder libx266: no such encoder"),
        (["film.mkv", "--preset", "quick"], "--preset quick: libx264 has no such preset"),
        (["film.mkv", "--crf", "99"], "--crf 99: libx264 takes 0 to 51"),
        (["film.mkv", "--min-vmaf", "101"], "--min-vmaf 101"),
        (["film.mkv", "--max-encoded-percent", "0"], "must be above 0"),
        (["film.mkv", "--crf", "20", "--max-encoded-percent", "-1"], "must be above 0"),
        (["film.mkv", "--acodec", "opuss"], "--acodec opuss"),
        (["film.mkv", "--plugin", "nothing"], "nothing"),
        (["film.mkv", "--vmaf-scale", "big"], "--vmaf-scale"),
        (["film.mkv", "--safe", "--vfilter", "metadata=print:file=x"], "--safe: the filter 'metadata'"),
        (["film.mkv", "-o", "film.mkv/out"], "film.mkv is no folder"),
    ],
)
def test_nothing_that_can_never_succeed_is_queued(program: Program, line: list[str], said: str) -> None:
    for name in ("film.mkv", "list.txt"):
        (program.home / name).write_bytes(b"x")
    (program.home / "list.csv").write_text("file\nfilm.mkv\ngone.mkv\n")
    (program.home / "empty.csv").write_text("file\n")
    ended = program("batch", *X264, *line)
    assert ended.code == 2 and said in ended.complaint(), ended.err
    if queue_file(program).exists():
        assert sqlite3.connect(queue_file(program)).execute("SELECT COUNT(*) FROM jobs").fetchone() == (0,)


def test_options_of_a_table_are_looked_at_too(film: Path) -> None:
    table = film.with_name("list.csv")
    table.write_text("file,crf\nfilm.mkv,20\nfilm.mkv,99\n")

    def check(options: object) -> None:
        if "99" in str(options):
            raise UserError("--crf 99 is too much")

    with pytest.raises(UserError, match=r"list\.csv, line 3: --crf 99"):
        msgspec_replaced(plan(film.parent / "out"), check=check).of([table])


def msgspec_replaced(struct: object, **fields: object) -> object:
    import msgspec

    return msgspec.structs.replace(struct, **fields)  # type: ignore[type-var]


@pytest.mark.parametrize(
    "output", ["../x.mkv", "/tmp/x.mkv", "sub/../../x.mkv", "link/x.mkv", "x.avi", "x", "folder.mkv"]
)
@pytest.mark.parametrize("folder", ["out", None])
def test_an_output_of_a_table_stays_where_outputs_go(film: Path, folder: str | None, output: str) -> None:
    root = film.parent / "tables" if folder is None else film.parent / folder
    (root / "folder.mkv").mkdir(parents=True)
    (root / "link").symlink_to(film.parent)
    table = film.parent / "tables" / "list.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text(f"file,output\n../film.mkv,{output}\n")
    with pytest.raises(UserError, match=r"list\.csv, line 2: output"):
        plan(None if folder is None else root).of([table])
    table.write_text("file,output\n../film.mkv,sub/x.mkv\n")
    (one,) = plan(None if folder is None else root).of([table])
    assert one.output == root / "sub" / "x.mkv"


def test_one_place_has_one_encode_however_it_is_named(film: Path) -> None:
    film.with_name("other.mkv").write_bytes(b"x")
    film.with_name("out").mkdir()
    table = film.with_name("list.csv")
    table.write_text("file,output\nfilm.mkv,x.mkv\nother.mkv,sub/../x.mkv\n")
    with pytest.raises(UserError, match="would both become"):
        plan(film.parent / "out").of([table])


_PLANNED = """
import msgspec, sys
from pathlib import Path
from tests.batch.test_plan import plan
said = []
print(len(msgspec.structs.replace(plan(encode=False), warn=said.append).of([Path(sys.argv[1])])), *said, sep="\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="how root gives up its rights is Linux's own")
def test_an_unreadable_folder_below_is_told_of(film: Path) -> None:
    closed = film.with_name("closed")
    closed.mkdir(mode=0)
    command = [sys.executable, "-c", _PLANNED, film.parent]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, preexec_fn=without_privilege, capture_output=True, text=True)
    closed.chmod(0o700)
    count, *said = done.stdout.splitlines()
    assert count == "1", done.stderr
    assert len(said) == 1 and "closed" in said[0]


def test_a_queue_of_the_version_before_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    queue = Queue(path)
    queue.add([Wanted(file=tmp_path / "a.mkv", output=None, options={})])
    queue.close()
    database = sqlite3.connect(path)
    database.execute("ALTER TABLE jobs DROP COLUMN warnings")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()
    queue = Queue(path)
    row = queue.claim(None)
    assert row is not None and row.warnings == []
    assert queue.end(row.id, Result(code=0, warnings=["its times go backwards"]))
    assert [one.warnings for one in queue.rows()] == [["its times go backwards"]]
    queue.close()


@pytest.fixture
def grows(program: Program) -> Path:
    """A source that every encode at CRF 1 makes larger."""
    folder = program.home / "films"
    folder.mkdir()
    source = ("-f", "lavfi", "-i", "mandelbrot=size=96x54:rate=24", "-frames:v", "12")
    ffmpeg(*source, "-c:v", "libx264", "-crf", "45", "-pix_fmt", "yuv420p", folder / "film.mkv")
    return folder


def test_a_result_that_is_larger_is_said_everywhere(program: Program, grows: Path) -> None:
    line = ("batch", grows, "-o", "out", *X264, "--crf", "1")
    ended = program(*line, "--report", "page.html")
    assert ended.code == 0
    assert ", larger than its source" in ended.out
    assert "film.mkv: the encode is larger than its source" in ended.err
    assert "1 file is larger than its source; --max-encoded-percent 100 refuses such results:" in ended.err
    assert "1 file with warnings; vmaf-tune batch status lists them" in ended.err
    page = (program.home / "page.html").read_text("utf-8")
    assert "1 larger than before" in page and "the encode is larger than its source" in page
    status = program("batch", "status", "--json").json
    (one,) = status["files"]
    assert one["larger"] is True and len(one["warnings"]) == 1
    program("batch", "export", "all.csv")
    with (program.home / "all.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["larger"] == "1" and "larger than its source" in row["warnings"]
    program("batch", "retry", grows / "film.mkv")
    (again,) = results(program("batch", "--json").out)  # the encode is taken as it is, and what was said of it with it
    assert again["larger"] is True and again["warnings"] == one["warnings"] == again["report"]["warnings"]
    refused = program("batch", grows, "-o", "other", *X264, "--crf", "1", "--max-encoded-percent", "100")
    assert refused.code == 3 and "over --max-encoded-percent 100" in refused.out
    assert list((program.home / "other").iterdir()) == []


def test_overwrite_does_again_what_an_output_was_in_the_way_of(program: Program, grows: Path) -> None:
    (program.home / "out").mkdir()
    (program.home / "out" / "film.mkv").write_bytes(b"precious")
    line = ("batch", grows, "-o", "out", *X264, "--crf", "30")
    assert program(*line).code == 1
    ended = program(*line, "--overwrite", "--events", "jsonl")
    events = [json.loads(text) for text in ended.out.splitlines()]
    assert ended.code == 0 and events[-1]["batch"]["done"] == 1 and events[-1]["batch"]["larger"] == 1


def test_a_search_says_so_too(program: Program, grows: Path) -> None:
    line = ("batch", grows, "--search-only", *FAST, "--min-crf", "1", "--max-crf", "2", "--crf-increment", "1")
    (one,) = results(program(*line, "--json").out)
    assert one["larger"] is True and "the samples take" in one["warnings"][0]

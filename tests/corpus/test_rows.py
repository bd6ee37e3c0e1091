"""A corpus file is read back as it was written, and what is wrong in it is said in one line."""

from __future__ import annotations

import gzip
import json
import math
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import ROOT
from tests.corpus.conftest import made_row
from vmaftune.contract.features import NAMES
from vmaftune.corpus.rows import RowWriter, iterate_rows, read_rows
from vmaftune.errors import UserError

_SEED = 20261121


def _line(**changes: Any) -> str:
    """A row as Python's own JSON has it, which knows NaN and Infinity."""
    return json.dumps({**msgspec.to_builtins(made_row()), **changes})


def _complaint(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_rows(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    return str(caught.value)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [made_row(crf=float(crf), clip=f"clip {crf}", preset=None) for crf in range(5)]
    with RowWriter(tmp_path / "new" / "rows.jsonl") as writer:
        assert writer.rows == []
        for row in rows:
            writer.append(row)
    assert read_rows(tmp_path / "new" / "rows.jsonl") == rows
    with RowWriter(tmp_path / "new" / "rows.jsonl") as writer:
        assert writer.rows == rows


def test_a_compressed_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(f"{_line()}\n{_line(crf=30)}\n".encode()))
    assert [row.crf for row in read_rows(path)] == [24.0, 30.0]


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{_line()}\nno row\n")
    rows = iterate_rows(path)
    assert next(rows).crf == 24.0
    with pytest.raises(UserError, match="line 2 is no corpus row"):
        next(rows)


def test_a_row_without_a_clip_has_its_sources_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    old = json.loads(_line())
    del old["clip"]
    path.write_text(json.dumps(old) + "\n\n")
    (row,) = read_rows(path)
    assert row.clip == row.source == "film"
    assert row.key == ("film", 720, "libx264", "medium", 24.0)


def test_a_feature_that_was_not_measured_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with RowWriter(path) as writer:
        writer.append(made_row(features=(math.nan,) * len(NAMES)))
    assert b"null" in path.read_bytes() and b"NaN" not in path.read_bytes()
    assert all(map(math.isnan, read_rows(path)[0].features))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"crf": "x"}, "column crf is no corpus row: Expected `float`, got `str`"),
        ({"frames": 2.5}, "column frames"),
        ({"frames": 0}, "column frames: 0 must be 1 to 1e+09"),
        ({"width": 10**400}, "column width"),
        ({"vmaf_mean": None}, "column vmaf_mean"),
        ({"vmaf_min": 100.5}, "column vmaf_min: 100.5 must be 0 to 100"),
        ({"vmaf_p5": -1}, "column vmaf_p5: -1.0 must be 0 to 100"),
        ({"bitrate_kbps": math.nan}, "column bitrate_kbps: nan"),
        ({"probe_seconds": math.inf}, "column probe_seconds: inf"),
        ({"features": [math.nan] * len(NAMES)}, "column features: nan"),
        ({"features": [1.0] * (len(NAMES) - 1)}, f"column features: {len(NAMES) - 1} values where schema"),
        ({"features": ["a"] * len(NAMES)}, "column features"),
        ({"features": None}, "column features"),
        ({"clip": 1}, "column clip"),
    ],
)
def test_a_wrong_value_is_said_with_its_line_and_column(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{_line()}\n{_line(**changes)}\n")
    assert f"{path}, line 2, {said}" in _complaint(path)


@pytest.mark.parametrize("column", ["source", "crf", "features", "vmaf_model"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = tmp_path / "rows.jsonl"
    values = json.loads(_line())
    del values[column]
    path.write_text(json.dumps(values))
    assert f"line 1, column {column} is no corpus row: Object missing required field" in _complaint(path)


def test_a_number_too_large_for_a_float_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(_line().replace('"crf": 24.0', '"crf": 1e999'))
    assert "line 1, column crf: inf" in _complaint(path)


@pytest.mark.parametrize("line", ["no row", "[1]", "17", '{"source":"film"', '{"source":"\udcff"}', "[" * 5000, "{}"])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{_line()}\n{line}\n", encoding="utf-8", errors="surrogateescape")
    assert "line 2" in _complaint(path) and "is no corpus row" in _complaint(path)


def test_a_broken_compressed_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    whole = gzip.compress("".join(f"{_line(crf=crf / 7)}\n" for crf in range(300)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    assert "it is cut short" in _complaint(path)
    path.write_bytes(whole[:100] + bytes(100) + whole[200:])
    assert "it is no whole gzip file" in _complaint(path)
    path.write_text(_line())
    assert "it is no whole gzip file" in _complaint(path)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    assert "No such file" in _complaint(tmp_path / "rows.jsonl")
    assert "directory" in _complaint(tmp_path)


@pytest.mark.parametrize("length", [1, 8, 30, 400])
def test_a_half_row_is_cut_off(tmp_path: Path, length: int) -> None:
    path = tmp_path / "rows.jsonl"
    with RowWriter(path) as writer:
        writer.append(made_row())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:length])
    with RowWriter(path) as writer:
        assert len(writer.rows) == 1 and path.read_bytes() == whole
        writer.append(made_row(crf=30.0))
    assert [row.crf for row in read_rows(path)] == [24.0, 30.0]


def test_a_writer_that_is_killed_loses_no_row_and_doubles_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    script = (
        "import itertools, pathlib, sys\nfrom tests.corpus.conftest import made_row\n"
        "from vmaftune.corpus.rows import RowWriter\nwriter = RowWriter(pathlib.Path(sys.argv[1]))\n"
        "for n in itertools.count(len(writer.rows)):\n    writer.append(made_row(crf=float(n)))\n    print(n, flush=True)"
    )
    written, moments = -1, random.Random(_SEED)
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", script, path], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        first = child.stdout.readline()
        assert int(first) > written
        time.sleep(moments.uniform(0.0, 0.1))
        child.kill()
        written = int([first, *child.communicate()[0].split()][-1])
        with RowWriter(path) as writer:
            assert [row.crf for row in writer.rows] == list(map(float, range(len(writer.rows))))
            assert len(writer.rows) > written


def test_a_last_row_without_its_line_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(_line())
    with RowWriter(path) as writer:
        writer.append(made_row(crf=30.0))
    assert [row.crf for row in read_rows(path)] == [24.0, 30.0]


@pytest.mark.parametrize("content", [b"not a corpus", b"a line\nand half of one", b"\x00\x01\n\x02", b'{"source": 1}'])
def test_a_file_that_is_no_corpus_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(content)
    with pytest.raises(UserError):
        RowWriter(path)
    assert path.read_bytes() == content


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with RowWriter(path), pytest.raises(UserError, match="another process is measuring into"):
        RowWriter(path)
    RowWriter(path).close()


def test_rows_are_not_appended_to_a_compressed_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be appended to"):
        RowWriter(tmp_path / "rows.jsonl.gz")
    assert list(tmp_path.iterdir()) == []

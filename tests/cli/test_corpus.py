"""``corpus`` measures curves into a file that a later call goes on with."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Program


def test_rows_are_measured_once(program: Program, clip: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    line: list[str | Path] = ["corpus", "measure", clip, "-o", rows, "-e", "libx264", "--preset", "ultrafast"]
    first = program(*line, "--crfs", "40,30")
    assert first.code == 0 and first.out == f"{rows}: 2 rows, 0 probes failed\n"
    assert program(*line, "--crfs", "30,40,35").out == f"{rows}: 3 rows, 0 probes failed\n"
    by_crf = {row["crf"]: row for row in map(msgspec.json.decode, rows.read_bytes().splitlines())}
    assert by_crf[30.0]["vmaf_mean"] > by_crf[35.0]["vmaf_mean"] > by_crf[40.0]["vmaf_mean"]


@pytest.mark.parametrize(
    ("crfs", "said"),
    [("20,x", "separated by commas"), ("nan", "takes CRF 0 to 51"), ("20,99", "takes CRF 0 to 51")],
)
def test_crfs_must_be_those_of_the_encoder(program: Program, clip: Path, tmp_path: Path, crfs: str, said: str) -> None:
    ended = program("corpus", "measure", clip, "-o", tmp_path / "rows.jsonl", "-e", "libx264", "--crfs", crfs)
    assert ended.code == 2 and said in ended.complaint() and not (tmp_path / "rows.jsonl").exists()


def test_a_population_needs_rows(program: Program, tmp_path: Path) -> None:
    missing = program("corpus", "population", tmp_path / "rows.jsonl", "-o", tmp_path / "model")
    assert missing.code == 2 and "No such file" in missing.complaint()
    (tmp_path / "rows.jsonl").write_text("no row\n")
    broken = program("corpus", "population", tmp_path / "rows.jsonl", "-o", tmp_path / "model")
    assert broken.code == 2 and "line 1 is no corpus row" in broken.complaint()
    assert not (tmp_path / "model").exists()

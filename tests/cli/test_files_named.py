"""Files that a person names to be read or written: whose mistake it is when that fails, and the modes of what is made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program, without_privilege
from tests.cli.test_bad_disks import disk_of, fill

QUICK = (*X264, "--min-vmaf", "90", "--max-probes", "2", "--tolerance", "20")


@pytest.mark.parametrize(
    "job", ["crf-search", "encode", "predict", "score", "worst-frames", "batch", "ladder", "compare"]
)
def test_a_folder_that_may_not_be_read_is_the_users(program: Program, tmp_path: Path, job: str) -> None:
    (folder := tmp_path / "closed").mkdir()
    (film := folder / "film.mkv").touch()
    folder.chmod(0)
    line: list[str | Path] = {
        "score": [film, film],
        "worst-frames": [film, film],
        "batch": [film],
        "compare": ["-i", film, "-e", "libx264", "-e", "libx265", "--no-bd-rate"],
    }.get(job, ["-i", film])
    try:
        ended = program(job, *line, before=without_privilege)
    finally:
        folder.chmod(0o700)
    assert ended.code == 2 and "ermission denied" in ended.err and "Traceback" not in ended.err, ended.err


@pytest.mark.parametrize("option", ["--report", "--plot"])
def test_a_full_disk_is_not_the_users(program: Program, clip: Path, option: str) -> None:
    name = {"--report": "page.html", "--plot": "figure.png"}[option]
    if option == "--plot":
        pytest.importorskip("matplotlib")
    with disk_of(program.home / "disk", 64) as disk:
        fill(disk, leaving_kib=4)
        ended = program("crf-search", "-i", clip, *QUICK, option, disk / name)
        assert [path.name for path in disk.iterdir()] == ["fill"], "nothing half written"
    assert ended.code == 1, ended.err
    assert ended.complaint() == f"cannot write {option} {disk / name}: No space left on device"


def test_what_is_made_for_people_has_the_mode_of_the_umask(program: Program, clip: Path) -> None:
    made = [program.home / name for name in ("rungs.csv", "page.html")]
    line = ["ladder", "-i", clip, *X264, "--min-vmaf", "80", "--heights", "108", "--rungs", "1"]
    ended = program(*line, "--csv", made[0], "--report", made[1], before=lambda: os.umask(0o027) and None)
    assert ended.code == 0, ended.err
    assert {path.stat().st_mode & 0o777 for path in made} == {0o640}


def test_a_table_that_cannot_be_written_is_said_before_the_work(program: Program, clip: Path) -> None:
    ended = program("ladder", "-i", clip, *X264, "--csv", "nosuch/rungs.csv")
    assert ended.code == 2 and ended.err.count("\n") == 1, ended.err
    assert ended.complaint() == "cannot write --csv nosuch/rungs.csv: No such file or directory"

"""Folders that cannot be written and disks that are full: a search goes on where it can, and says so where it cannot."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import SIDECAR, USUAL, X264, Program


@contextmanager
def disk_of(folder: Path, kib: int) -> Iterator[Path]:
    """A disk of so many KiB, mounted on ``folder``."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, *, leaving_kib: int) -> None:
    size = int(subprocess.check_output(["df", "-k", "--output=avail", str(disk)]).split()[1])
    (disk / "fill").write_bytes(bytes((size - leaving_kib) * 1024))


def test_an_unwritable_cache_folder_stops_no_search(program: Program, clip: Path) -> None:
    file = program.home / "file"
    file.write_text("no folder")
    ended = program("crf-search", "-i", clip, *USUAL, *SIDECAR, env={"XDG_CACHE_HOME": str(file)})
    assert ended.code == 0 and ended.out.startswith("crf ")
    said = [line for line in ended.err.splitlines() if line.startswith("vmaf-tune: ")]
    assert len(said) == 2, ended.err
    assert "nothing is kept after this run" in said[0]
    assert "ridge-sidecar" in said[1] and "nothing is learned" in said[1]
    assert program.left_behind() == []


def test_a_cache_folder_on_a_full_disk_stops_no_search(program: Program, clip: Path) -> None:
    with disk_of(program.home / "disk", 64) as disk:
        (disk / "vmaf-tune").mkdir()
        fill(disk, leaving_kib=0)
        ended = program("crf-search", "-i", clip, *USUAL, *SIDECAR, env={"XDG_CACHE_HOME": str(disk)})
    assert ended.code == 0, ended.err
    assert "nothing is kept after this run" in ended.err and "nothing is learned" in ended.err
    assert ended.err.count("vmaf-tune: ") == 2, ended.err


def test_a_disk_that_fills_up_in_the_search_loses_no_result(program: Program, clip: Path) -> None:
    with disk_of(program.home / "disk", 64) as disk:
        home = {"XDG_CACHE_HOME": str(disk)}
        assert program("crf-search", "-i", clip, *X264, "--max-probes", "1", env=home).code in (0, 3)
        fill(disk, leaving_kib=0)
        ended = program("crf-search", "-i", clip, *X264, "--pool", "min", "--min-vmaf", "80", env=home)
    assert ended.code == 0, ended.err
    assert ended.err.count("vmaf-tune: ") == 1 and "nothing is kept after this run" in ended.err, ended.err


@pytest.mark.parametrize("leaving_kib", [4, 8])
def test_a_full_temporary_folder_is_said_in_one_line(program: Program, clip: Path, leaving_kib: int) -> None:
    with disk_of(program.home / "disk", 64) as disk:
        fill(disk, leaving_kib=leaving_kib)
        ended = program("crf-search", "-i", clip, *X264, env={"TMPDIR": str(disk)})
        assert [path.name for path in disk.iterdir()] == ["fill"]
    assert ended.code == 1 and "set TMPDIR to a folder with room" in ended.complaint()


def test_a_limit_on_the_size_of_files_is_a_failure_and_not_a_fault(program: Program, clip: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (256, 256))

    ended = program("crf-search", "-i", clip, *X264, "--no-cache", before=limit)
    assert ended.code == 1 and "fault of vmaf-tune" not in ended.complaint()
    assert program.left_behind() == []

"""A current folder that is gone or unreadable, and a configuration folder that cannot be looked into, stop nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program, without_privilege


def commands(clip: Path, output: Path) -> list[list[str | Path]]:
    return [
        ["score", clip, clip, "--vmaf-scale", "none"],
        ["encode", "-i", clip, *X264, "--crf", "30", "-o", output],
        ["batch", clip, "--search-only", *X264, "--min-vmaf", "50", "--max-probes", "1"],
        ["doctor"],
    ]


def test_a_current_folder_that_was_removed(program: Program, clip: Path) -> None:
    gone = program.home / "gone"

    def leave() -> None:
        os.chdir(gone)
        gone.rmdir()

    for line in commands(clip, program.home / "out.mkv"):
        gone.mkdir()
        ended = program(*line, before=leave)
        assert ended.code == 0, (line, ended.err)


@pytest.mark.skipif(sys.platform != "linux", reason="how root gives up its rights is Linux's own")
def test_folders_that_cannot_be_read(program: Program, clip: Path) -> None:
    program.env()
    closed, settings = program.home / "closed", program.home / "config" / "vmaf-tune"
    for folder in (closed, settings):
        folder.mkdir()
        (folder / "vmaf-tune.toml").write_text("[search]\nencoder = 'libx265'\n")

    def close() -> None:
        os.chdir(closed)
        for folder in (closed, settings):
            folder.chmod(0)
        without_privilege()

    for line in commands(clip, program.home / "out.mkv"):
        ended = program(*line, before=close)
        for folder in (closed, settings):
            folder.chmod(0o700)
        assert ended.code == 0, (line, ended.err)
        assert (
            "the current folder cannot be read (Permission denied): a vmaf-tune.toml in it is not in force" in ended.err
        )
        assert f"{settings} cannot be read" in ended.err

"""Files of ours that were damaged, or written by a later version, are set aside, and the search goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import SIDECAR, USUAL, X264, Program


def _said(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("vmaf-tune: ")]


def _state(program: Program) -> Path:
    return next(program.cache.glob("sidecar/*/libx264/state.json"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("later", "has schema version 99"),
        ("numbers", "wrong shape"),
    ],
)
def test_an_unusable_sidecar_state_is_set_aside(program: Program, clip: Path, content: str, said: str) -> None:
    program.search(clip, *SIDECAR)
    state = _state(program)
    whole = state.read_text()
    if content == "later":
        content = whole.replace('"schema_version":3', '"schema_version":99')
    elif content == "numbers":
        content = whole.replace('"history":[["', '"history":[["AAAA')
    state.write_text(content)
    ended = program("crf-search", "-i", clip, *USUAL, *SIDECAR, "--min-vmaf", "80", "--no-cache")
    assert ended.code == 0, ended.err
    assert len(_said(ended.err)) == 1 and said in _said(ended.err)[0] and "set aside" in _said(ended.err)[0]
    assert state.with_name("state.json.set-aside").read_text() == content
    assert state.stat().st_size > 100, "learning began anew"


@pytest.mark.parametrize(
    "content", [b"no database at all, but text\n" * 100, b"SQLite format 3\0" + bytes(range(256)) * 40]
)
def test_a_cache_that_is_no_database_is_set_aside(program: Program, clip: Path, content: bytes) -> None:
    program.search(clip)
    file = program.cache / "cache.sqlite"
    file.write_bytes(content)
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90")
    assert ended.code == 0, ended.err
    assert len(_said(ended.err)) == 1 and "set aside as cache.sqlite.unreadable" in _said(ended.err)[0], ended.err
    assert file.with_name("cache.sqlite.unreadable").read_bytes() == content
    assert program.search(clip)["probe_count"] == 0, "the new cache is used"


def test_a_cache_that_is_damaged_inside_is_set_aside(program: Program, clip: Path) -> None:
    program.search(clip)
    file = program.cache / "cache.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90")
    assert ended.code == 0, ended.err
    assert len(_said(ended.err)) == 1 and "set aside" in _said(ended.err)[0], ended.err
    assert file.with_name("cache.sqlite.unreadable").read_bytes() == content
    assert program.search(clip)["probe_count"] == 0, "the new cache is used"


def test_a_cache_of_a_later_version_is_set_aside(program: Program, clip: Path) -> None:
    program.search(clip)
    file = program.cache / "cache.sqlite"
    database = sqlite3.connect(file)
    database.execute("PRAGMA user_version = 99")
    database.close()
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90")
    assert ended.code == 0, ended.err
    assert len(_said(ended.err)) == 1 and "version 99" in _said(ended.err)[0]
    assert file.with_name("cache.sqlite.unreadable").is_file() and file.is_file()

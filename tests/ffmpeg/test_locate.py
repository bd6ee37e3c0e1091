"""Which ffmpeg is used: the one that is named, or a clear refusal; and what it can do is learnt once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import ENVIRONMENT_VARIABLE, Ffmpeg, locate, require_libvmaf
from vmaftune.state.store import Store


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _counting(tmp_path: Path, ffmpeg: Ffmpeg) -> Path:
    """The real ffmpeg, noting every start."""
    return _program(tmp_path / "counting", f'echo started >> "{tmp_path}/starts"\nexec "{ffmpeg.path}" "$@"')


def _starts(tmp_path: Path) -> int:
    file = tmp_path / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_the_embedded_one_can_do_all(ffmpeg: Ffmpeg) -> None:
    assert ffmpeg.libvmaf and ffmpeg.loopback and ffmpeg.version
    assert {"libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "libvvenc"} <= ffmpeg.encoders
    assert "=" not in ffmpeg.encoders


@pytest.mark.parametrize("by", ["option", "environment"])
def test_one_that_is_not_there(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "ffmpeg"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(missing))
    with pytest.raises(UserError, match=r"no ffmpeg at .*from (--ffmpeg|VMAFTUNE_FFMPEG)"):
        locate(missing if by == "option" else None, Store(None))


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot start ffmpeg at .* \(from --ffmpeg\)"):
        locate(tmp_path, Store(None))


def test_a_text(tmp_path: Path) -> None:
    text = tmp_path / "ffmpeg"
    text.write_text("no program\n")
    with pytest.raises(UserError, match="cannot start ffmpeg"):
        locate(text, Store(None))
    text.chmod(0o755)
    with pytest.raises(UserError, match=r"cannot start ffmpeg|is not an ffmpeg"):
        locate(text, Store(None))


def test_another_program(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not an ffmpeg: it printed no version"):
        locate(_program(tmp_path / "ffmpeg", "echo hello"), Store(None))


def test_one_without_libvmaf(tmp_path: Path) -> None:
    """As a distribution's own may be: it is found, and refused where a score is wanted."""
    bare = locate(_program(tmp_path / "ffmpeg", "echo ffmpeg version 6.1-bare; [ $# -lt 5 ]"), Store(None))
    assert (bare.version, bare.libvmaf, bare.loopback) == ("6.1-bare", False, False)
    with pytest.raises(UserError, match="has no libvmaf filter; leave --ffmpeg away"):
        require_libvmaf(bare)


def test_the_systems_own_is_examined_as_it_is() -> None:
    path = shutil.which("ffmpeg")
    if path is None:
        pytest.skip("no ffmpeg on PATH")
    assert locate(Path(path), Store(None)).version


def test_the_option_goes_before_the_environment(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(_counting(tmp_path, ffmpeg)))
    assert locate(ffmpeg.path, Store(None)).origin == "--ffmpeg"
    assert _starts(tmp_path) == 0
    found = locate(None, Store(None))
    assert found.origin == ENVIRONMENT_VARIABLE and _starts(tmp_path) > 0


def test_a_bare_name_is_looked_up_on_the_path(ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _counting(tmp_path, ffmpeg)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert locate(Path("counting"), Store(None)).path == program


def test_the_answer_is_kept_until_the_program_changes(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    program, store = _counting(tmp_path, ffmpeg), Store(tmp_path / "cache.sqlite")
    first = locate(program, store)
    starts = _starts(tmp_path)
    assert locate(program, store) == first and _starts(tmp_path) == starts
    os.utime(program, ns=(0, program.stat().st_mtime_ns + 1))
    assert locate(program, store) == first and _starts(tmp_path) == 2 * starts
    with program.open("a") as file:
        file.write("# longer\n")
    assert locate(program, store) == first and _starts(tmp_path) == 3 * starts

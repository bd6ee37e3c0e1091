"""Which ffmpeg is used: the one that is named, or a clear refusal; and what it can do is learnt once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from vmaftune.cli.options import PROGRAM
from vmaftune.config.load import load_config
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import ENVIRONMENT_VARIABLE, Abilities, Ffmpeg, locate, require_libvmaf
from vmaftune.ffmpeg.program import program_path
from vmaftune.jobs.options import SearchOptions, checked
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


@pytest.fixture
def two_folders(ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called ffmpeg on PATH, others in the current folder and below it; each notes that it was started."""
    for folder in ("path", "here", "here/bin"):
        (tmp_path / folder).mkdir()
        script = f'touch "{tmp_path / folder}/started"\nexec "{ffmpeg.path}" "$@"'
        _program(tmp_path / folder / "ffmpeg", script)
    monkeypatch.setenv("PATH", str(tmp_path / "path"), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.mark.parametrize(
    ("named", "folder"),
    [("ffmpeg", "path"), ("./ffmpeg", "here"), ("bin/ffmpeg", "here/bin"), ("../here/ffmpeg", "here")],
)
@pytest.mark.parametrize("by", ["option", "api", "environment", "configuration"])
def test_a_name_with_a_slash_is_that_very_file(
    named: str, folder: str, by: str, two_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: Path | str | None = None
    if by == "environment":
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, named)
    elif by == "option":
        chosen = PROGRAM.convert(named, None, None)
    elif by == "api":
        chosen = checked({"ffmpeg": named}, SearchOptions)["ffmpeg"]
    else:
        Path("vmaf-tune.toml").write_text(f'[search]\nffmpeg = "{named}"\n')
        chosen = load_config(None).search.ffmpeg
    found = locate(chosen, Store(None))
    assert found.path.is_absolute() and found.path.samefile(two_folders / folder / "ffmpeg")
    assert [f for f in ("path", "here", "here/bin") if (two_folders / f / "started").exists()] == [folder]


def test_the_configurations_program_is_relative_to_its_file(two_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = two_folders / "here" / "own.toml"
    file.write_text('[search]\nffmpeg = "bin/ffmpeg"\n')
    monkeypatch.chdir(two_folders)
    assert load_config(file).search.ffmpeg == str(two_folders / "here" / "bin" / "ffmpeg")


def test_a_bare_name_that_is_not_on_the_path_is_no_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "mine", "exit 1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no ffmpeg called mine on PATH \(from --ffmpeg\); .* as \./mine"):
        locate("mine", Store(None))


def test_what_is_run_never_comes_from_the_cache(two_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is another program in another folder, and what a record says of a path is not read."""
    store = Store(two_folders / "cache.sqlite")
    first = locate(program_path("bin/ffmpeg"), store)
    other = two_folders / "path" / "bin"
    other.mkdir()
    shutil.copy2(first.path, other / "ffmpeg")
    monkeypatch.chdir(two_folders / "path")
    assert locate(program_path("bin/ffmpeg"), store).path == other / "ffmpeg"

    class Evil(Abilities, frozen=True, kw_only=True):
        path: str = "/bin/false"
        origin: str = "cache"

    put = store.put
    for kind, key, _ in _rows(two_folders / "cache.sqlite"):
        put(kind, key, Evil(version="evil", encoders=frozenset(), libvmaf=True, loopback=True))
    found = locate(program_path("bin/ffmpeg"), store)
    assert (found.version, found.path, found.origin) == ("evil", other / "ffmpeg", "--ffmpeg")


def _rows(file: Path) -> list[tuple[str, str, bytes]]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT kind, key, record FROM entries").fetchall()

"""``doctor`` says what is there and what is missing, and ends with 1 when a search cannot run."""

from __future__ import annotations

from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe as real

from tests.cli.conftest import Program


def test_doctor_finds_everything_here(program: Program) -> None:
    ended = program("doctor")
    assert ended.code == 0 and ended.err == ""
    assert "MISSING" not in ended.out and ended.out.splitlines()[-1] == "a search can run"
    for what in ("ffmpeg:", "libvmaf:", "libx264", f"cache: {program.cache}", "temporary folder:", "population"):
        assert what in ended.out
    assert "trial: a made clip of 10 frames was read, encoded and scored" in ended.out


def test_doctor_probes_a_clip_and_says_what_failed(program: Program, tmp_path: Path) -> None:
    ffmpeg = tmp_path / "ffmpeg"  # as able as the real one, until it is to make a clip
    ffmpeg.write_text(
        f'#!/bin/sh\ncase "$*" in *testsrc2*) echo "[error] no such source" >&2; exit 1;; esac\nexec {real()} "$@"\n'
    )
    ffmpeg.chmod(0o755)
    ended = program("doctor", "--ffmpeg", ffmpeg)
    assert ended.code == 1 and "Traceback" not in ended.err
    assert "MISSING trial: a made clip cannot be probed (ffmpeg: no such source); versions: av " in ended.out


def test_doctor_says_what_is_missing(program: Program) -> None:
    ended = program("doctor", "--ffmpeg", "/nosuch/ffmpeg")
    assert ended.code == 1
    assert "MISSING ffmpeg: no ffmpeg at /nosuch/ffmpeg" in ended.out and "cannot run" in ended.out.splitlines()[-1]


def test_doctor_goes_on_without_a_cache(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    ended = program("doctor", "--cache-dir", tmp_path / "file")
    assert ended.code == 0
    assert "nothing is kept after this run" in ended.out and "Traceback" not in ended.err


def test_doctor_names_the_configuration_in_force(program: Program, tmp_path: Path) -> None:
    (tmp_path / "vmaf-tune.toml").write_text("[search]\nmin-vmaf = 90\n")
    assert "configuration: vmaf-tune.toml" in program("doctor", cwd=tmp_path).out

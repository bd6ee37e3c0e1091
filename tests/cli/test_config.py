"""Configuration files as a user meets them: what they set, who wins, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import USUAL, X264, Program


def _user_file(program: Program, text: str) -> Path:
    folder = program.home / "config" / "vmaf-tune"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vmaf-tune.toml").write_text(text)
    return folder / "vmaf-tune.toml"


def _search(program: Program, clip: Path, folder: Path, *arguments: str | Path) -> Any:
    ended = program("crf-search", "-i", clip, "--vmaf-scale", "none", *arguments, "--json", cwd=folder)
    assert ended.code == 0, ended.err
    return ended.json


def test_flags_win_over_named_over_project_over_user(program: Program, clip: Path, tmp_path: Path) -> None:
    common = 'encoder = "libx264"\npreset = "ultrafast"\n'
    _user_file(program, f"[search]\n{common}min-vmaf = 81\ntolerance = 2\nmax-crf = 45\n")
    assert _search(program, clip, tmp_path)["target"] == 81
    (tmp_path / "vmaf-tune.toml").write_text("[search]\nmin-vmaf = 82\ntolerance = 3\n")
    project = _search(program, clip, tmp_path)
    assert (project["target"], project["tolerance"], project["preset"]) == (82, 3, "ultrafast")
    (tmp_path / "named.toml").write_text("[search]\nmin-vmaf = 83\n")
    named = _search(program, clip, tmp_path, "--config", "named.toml")
    assert (named["target"], named["tolerance"]) == (83, 3)
    flagged = _search(program, clip, tmp_path, "--config", "named.toml", "--min-vmaf", "84", "--preset", "superfast")
    assert (flagged["target"], flagged["tolerance"], flagged["preset"]) == (84, 3, "superfast")


def test_the_sidecar_can_be_switched_on_and_off(program: Program, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "vmaf-tune.toml").write_text("[plugins.ridge-sidecar]\nenabled = true\n")
    on = _search(program, clip, tmp_path, *X264, "--min-vmaf", "85")
    assert [plugin["name"] for plugin in on["plugins"]] == ["ridge-sidecar"]
    off = _search(program, clip, tmp_path, *X264, "--min-vmaf", "85", "--no-plugin", "ridge-sidecar")
    assert off["plugins"] == []
    (tmp_path / "vmaf-tune.toml").write_text("[plugins.ridge-sidecar]\nenabled = false\n")
    named = _search(program, clip, tmp_path, *X264, "--min-vmaf", "85", "--plugin", "ridge-sidecar")
    assert [plugin["name"] for plugin in named["plugins"]] == ["ridge-sidecar"]


def test_a_plugins_settings_count(program: Program, clip: Path, tmp_path: Path) -> None:
    settings = "[plugins.ridge-sidecar]\nenabled = true\nminimum-sources = 1\nmax-correction = 0.5\n"
    (tmp_path / "vmaf-tune.toml").write_text(settings)
    _search(program, clip, tmp_path, *USUAL, "--vmaf-scale", "auto", "--min-vmaf", "85")
    second = _search(program, clip, tmp_path, *USUAL, "--vmaf-scale", "auto", "--min-vmaf", "85")
    assert 0 < abs(second["plugins"][0]["correction_vmaf"]) <= 0.5
    (tmp_path / "vmaf-tune.toml").write_text(f"{settings}[plugins.ridge-sidecar.encoders.libx264]\nenabled = false\n")
    third = _search(program, clip, tmp_path, *USUAL, "--vmaf-scale", "auto", "--min-vmaf", "85")
    assert third["plugins"][0]["correction_vmaf"] == 0.0


SIDECAR_ON = "[plugins.ridge-sidecar]\nenabled = true\n"
WRONG = {
    "[search]\nmin-vamf = 3": "unknown key search.min-vamf; allowed there: cache, crf-increment, encoder,",
    "[serach]\n": "unknown key serach; allowed there: plugins, search",
    "[search]\nmin-vmaf = 101": "search.min-vmaf = 101: must be a number above 0 and at most 100",
    '[search]\nmin-vmaf = "93"': 'search.min-vmaf = "93": must be a number above 0 and at most 100',
    "[search]\nmin-vmaf = nan": "search.min-vmaf = nan: must be a finite number",
    "[search]\nmax-probes = 0": "search.max-probes = 0: must be a whole number from 1 to 1000",
    "[search]\npreset = 8": "search.preset = 8: must be a text in quotes",
    "[search]\nstrict-plugins = 1": "search.strict-plugins = 1: must be true or false",
    '[search]\npool = "median"': 'search.pool = "median": must be "mean", "harmonic_mean", "min" or "pN"',
    '[search]\nvmaf-scale = "big"': 'search.vmaf-scale = "big": must be "auto", "none" or "WIDTHxHEIGHT"',
    "search = 3": "search = 3: must be a table",
    "plugins = 3": "plugins = 3: must be a table",
    "[plugins]\nridge-sidecar = 3": "plugins.ridge-sidecar = 3: must be a table",
    '[plugins.ridge-sidecar]\nenabled = "yes"': "must be true or false",
    "[plugins.nosuch]\nenabled = true": "plugins.nosuch.enabled = true: no such plugin is installed",
    f"{SIDECAR_ON}lamda = 1": "unknown key plugins.ridge-sidecar.lamda; allowed there: drift-threshold, drift-window,",
    f"{SIDECAR_ON}lambda = 0": "plugins.ridge-sidecar.lambda = 0: must be a number above 0 and at most 1000000",
    f"{SIDECAR_ON}history-rows = 2.5": "plugins.ridge-sidecar.history-rows = 2.5: must be a whole number from 16 to 5000",
    f"{SIDECAR_ON}encoders = 1": "plugins.ridge-sidecar.encoders = 1: must be a table",
    f"{SIDECAR_ON}[plugins.ridge-sidecar.encoders.libx264]\nlambda = -1": (
        "plugins.ridge-sidecar.encoders.libx264.lambda = -1: must be a number above 0"
    ),
    f"{SIDECAR_ON}[plugins.ridge-sidecar.encoders.libx264]\nnosuch = 1": (
        "unknown key plugins.ridge-sidecar.encoders.libx264.nosuch; allowed there: drift-threshold, drift-window, enabled,"
    ),
    f"{SIDECAR_ON}[plugins.ridge-sidecar.encoders.libx264.presets.slow]\ndrift-window = 1": (
        "plugins.ridge-sidecar.encoders.libx264.presets.slow.drift-window = 1: must be a whole number from 5 to 2000"
    ),
    f"{SIDECAR_ON}[plugins.ridge-sidecar.encoders]\nlibx264 = 1": (
        "plugins.ridge-sidecar.encoders.libx264 = 1: must be a table"
    ),
    "[search\n": "is not valid TOML",
}


@pytest.mark.parametrize("text", WRONG, ids=[said.split(":")[0].split(";")[0] for said in WRONG.values()])
def test_a_mistake_is_told_with_file_key_value_and_what_is_allowed(
    program: Program, clip: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    ended = program("crf-search", "-i", clip, *X264, "--config", "mine.toml", cwd=tmp_path)
    assert ended.code == 2, ended.err
    assert ended.complaint().startswith("mine.toml") and WRONG[text] in ended.complaint()
    assert not any(jargon in ended.complaint() for jargon in ("Expected `", "null", "object"))


def test_bytes_that_are_no_text_are_no_toml(program: Program, tmp_path: Path) -> None:
    (tmp_path / "vmaf-tune.toml").write_bytes(b"\xff\xfe[search]")
    ended = program("doctor", cwd=tmp_path)
    assert ended.code == 2 and "vmaf-tune.toml is not valid TOML" in ended.complaint()


OTHERS = 'encoder = "libx265"\npreset = "placebo"\npix-format = "yuv420p12le"\nmin-crf = 50.5\nmax-crf = 51\n'


def test_what_is_said_of_one_encoder_is_not_taken_for_another(program: Program, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "vmaf-tune.toml").write_text(f"[search]\n{OTHERS}min-vmaf = 85\n")
    found = _search(program, clip, tmp_path, "-e", "libx264")
    assert (found["target"], found["preset"], found["pix_fmt"]) == (85, "medium", "yuv420p")
    assert min(found["curve"]["crfs"]) < 50


ORIGINS = {
    'ffmpeg = "/nosuch/ffmpeg"': "no ffmpeg at /nosuch/ffmpeg (from search.ffmpeg in vmaf-tune.toml)",
    'preset = "quick"': "search.preset = quick (in vmaf-tune.toml): libx264 has no such preset; it has ultrafast,",
    'encoder = "libx246"': "search.encoder = libx246 (in vmaf-tune.toml): no such encoder; there is: ",
    'pix-format = "rgb48"': "libx264 does not take search.pix-format = rgb48 (in vmaf-tune.toml); it takes ",
    "min-crf = 99": "search.min-crf = 99 (in vmaf-tune.toml) is above --max-crf 46",
    "max-crf = 99": "search.max-crf = 99 (in vmaf-tune.toml): libx264 takes CRF 0 to 51",
    'vfilter = "nosuch"': "search.vfilter = 'nosuch' (in vmaf-tune.toml) fails: ",
    'vmaf-scale = "10x10"': "search.vmaf-scale = '10x10' (in vmaf-tune.toml) must be auto",
}


@pytest.mark.parametrize("text", ORIGINS)
def test_a_value_that_proves_wrong_later_is_told_with_where_it_is_from(
    program: Program, clip: Path, tmp_path: Path, text: str
) -> None:
    encoder = "" if text.startswith("encoder") else 'encoder = "libx264"\n'
    (tmp_path / "vmaf-tune.toml").write_text(f"[search]\n{encoder}{text}\n")
    ended = program("crf-search", "-i", clip, cwd=tmp_path)
    assert ended.code == 2 and ended.complaint().startswith(ORIGINS[text]), ended.err


def test_a_table_of_a_plugin_that_is_not_installed_is_worth_a_word(
    program: Program, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "vmaf-tune.toml").write_text("[plugins.ridge-sidcar]\nlambda = 2\n")
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90", cwd=tmp_path)
    assert ended.code == 0
    assert "vmaf-tune: vmaf-tune.toml: no plugin ridge-sidcar is installed" in ended.err


def test_the_cache_can_be_switched_off(program: Program, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "vmaf-tune.toml").write_text("[search]\ncache = false\n")
    first = _search(program, clip, tmp_path, *X264, "--min-vmaf", "85")
    assert _search(program, clip, tmp_path, *X264, "--min-vmaf", "85")["probe_count"] == first["probe_count"]
    assert not (program.cache / "cache.sqlite").exists()

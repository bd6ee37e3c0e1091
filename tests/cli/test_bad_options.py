"""A wrong option gives one line that says what is wrong and what is allowed, exit code 2, before anything is encoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program, ffmpeg

BAD = {
    "--min-vmaf 101": "at most 100",
    "--min-vmaf 0": "above 0",
    "--min-vmaf -3": "above 0",
    "--min-vmaf nan": "not a number",
    "--min-vmaf inf": "not a number",
    "--min-vmaf much": "not a number",
    "--tolerance -1": "from 0 to 20",
    "--tolerance nan": "not a number",
    "--min-crf 30 --max-crf 20": "--min-crf 30 is above --max-crf 20",
    "--max-crf 99": "libx264 takes CRF 0 to 51",
    "--min-crf -1": "libx264 takes CRF 0 to 51",
    "--min-crf nan": "not a number",
    "--crf-increment 0": "at least 0.01",
    "--crf-increment -1": "at least 0.01",
    "--crf-increment inf": "not a number",
    "--crf-increment 100": "no multiple of --crf-increment 100",
    "--max-probes 0": "--max-probes",
    "--max-encoded-percent 0": "above 0",
    "--pool median": "mean, harmonic_mean, min or pN",
    "--pool p101": "mean, harmonic_mean, min or pN",
    "--vmaf-scale large": "auto, none or WIDTHxHEIGHT",
    "--vmaf-scale 0x0": "auto, none or WIDTHxHEIGHT",
    "--vmaf-model nosuch.json": "no such file",
    "--vmaf-model nosuch": "--vmaf-model nosuch: there is no such model",
    "--samples 0": "--samples",
    "--sample-every 0": "above 0",
    "--sample-duration -1": "above 0, or 0 for the whole source",
    "--sample-duration nan": "not a number",
    "--enc crf=20": "--enc crf is decided by vmaf-tune",
    "--enc =3": "KEY=VALUE",
    "--enc nosuch=3": "nosuch",
    "--vfilter nosuch": "--vfilter 'nosuch' fails: No such filter",
    "--vfilter select=0": "leaves no frame",
    "--preset nosuch": "it has ultrafast, superfast",
    "--pix-format nosuch": "it takes yuv420p",
    "-e nosuch": "there is: av1_amf",
    "-e h264_videotoolbox": "was built without h264_videotoolbox",
    "--plugin nosuch": "ridge-sidecar",
    "--no-plugin nosuch": "no plugin nosuch is installed",
    "--predictor nosuch": "there is: mlp, population",
    "--plugin population": "kind predictor",
    "--predictor ridge-sidecar": "kind correction",
    "--ffmpeg /nosuch/ffmpeg": "no ffmpeg at /nosuch/ffmpeg",
    "--ffmpeg /bin/sh": "is not an ffmpeg",
    "--config nosuch.toml": "no such file",
    "--config .": "is a folder",
    "--plot figure.txt": "ends in .png, .svg, .pdf",
    "--plot /nosuch/figure.png": "cannot write --plot",
    "--plot .": "ends in .png",
    "--nosuch": "no such option",
    "another.mkv": "unexpected extra argument",
}


@pytest.mark.parametrize("options", BAD)
def test_a_bad_option_is_refused_in_one_line(program: Program, clip: Path, options: str) -> None:
    ended = program("crf-search", "-i", clip, *X264, *options.split())
    assert ended.code == 2 and ended.out == "", ended.err
    assert BAD[options].lower() in ended.complaint().lower()
    assert "hit chance" not in ended.err, "a probe was made before the option was refused"
    assert program.left_behind() == []


@pytest.mark.parametrize("line", ["crf-search", "--crf-search", "crf-search -e libx264"])
def test_a_missing_source_is_asked_for(program: Program, line: str) -> None:
    ended = program(*line.split())
    assert ended.code == 2
    assert ended.complaint() == "missing option '-i' / '--input'; see vmaf-tune crf-search --help"


def test_an_unknown_command_is_refused(program: Program) -> None:
    ended = program("nosuch")
    assert ended.code == 2 and "no such command 'nosuch'" in ended.complaint()
    assert "vmaf-tune --help" in ended.complaint()


@pytest.mark.parametrize("encoder", ["h264_nvenc", "h264_vaapi", "h264_qsv", "h264_amf"])
def test_an_encoder_without_its_hardware_says_so(program: Program, clip: Path, encoder: str) -> None:
    ended = program("crf-search", "-i", clip, "-e", encoder, "--vmaf-scale", "none")
    if ended.code in (0, 3):
        pytest.skip(f"this machine has the hardware of {encoder}")
    assert ended.code == 2, ended.err
    assert encoder in ended.complaint()
    assert program.left_behind() == []


def test_a_target_that_cannot_be_met_is_not_an_error_of_the_user(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "99.9", "--min-crf", "30")
    assert ended.code == 3 and ended.out == ""
    assert "came closest" in ended.complaint() and "lower --min-vmaf" in ended.complaint()
    assert program.left_behind() == []


def test_a_search_that_ran_out_of_probes_says_how_to_go_on(program: Program, tmp_path: Path) -> None:
    noise = tmp_path / "noise.mkv"  # its VMAF falls faster than any predictor expects
    source = ("-f", "lavfi", "-i", "color=gray:size=192x108:rate=24,noise=alls=20:allf=t", "-frames:v", "12")
    ffmpeg(*source, "-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p", noise)
    ended = program("crf-search", "-i", noise, *X264, "--min-vmaf", "90", "--max-probes", "1")
    assert ended.code == 3
    assert "was not reached in 1 trial encode:" in ended.complaint() and "--max-probes" in ended.complaint()


def test_a_size_that_cannot_be_met_is_told_with_the_size(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *X264, "--min-vmaf", "90", "--max-encoded-percent", "1")
    assert ended.code == 3
    assert "--max-encoded-percent" in ended.complaint() and "% of the source" in ended.complaint()


def test_an_existing_figure_survives_a_search_that_is_refused(program: Program, clip: Path, tmp_path: Path) -> None:
    figure = tmp_path / "figure.png"
    figure.write_bytes(b"older")
    program("crf-search", "-i", clip, *X264, "--preset", "nosuch", "--plot", figure)
    assert figure.read_bytes() == b"older"
    figure.unlink()
    program("crf-search", "-i", clip, *X264, "--preset", "nosuch", "--plot", figure)
    assert not figure.exists()

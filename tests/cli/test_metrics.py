"""Choosing what is measured, on the command line: every command says what its scores are of, in words and in JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import pytest

import vmaftune
from tests.cli.conftest import USUAL, Program, ffmpeg
from vmaftune.cli import complete

XPSNR = (*USUAL, "--min-xpsnr", "36", "--tolerance", "1")
TWINS = ("vmaf", "predicted_vmaf", "source_vmaf")


@pytest.fixture(scope="module")
def encode(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("metrics") / "encode.mkv"
    ffmpeg("-i", clip, "-c:v", "libx264", "-crf", "35", file)
    return file


def test_a_score_of_xpsnr_says_so(program: Program, clip: Path, encode: Path) -> None:
    report = program("score", clip, encode, "--metric", "xpsnr", "--json").json
    assert (report["metric"], report["unit"], report["vmaf"], report["harmonic_mean"]) == ("xpsnr", "dB", None, None)
    assert report["scale"] == {"metric": "xpsnr", "model": "", "depth": 8} and 15 < report["score"] < 60
    text = program("score", clip, encode, "--metric", "xpsnr").out
    assert text.startswith(f"XPSNR {report['score']:.4f} dB (mean of 12 frames") and "VMAF" not in text


def test_a_score_of_vmaf_has_both_names(program: Program, clip: Path, encode: Path) -> None:
    report = program("score", clip, encode, "--json").json
    assert report["score"] == report["vmaf"] and (report["metric"], report["unit"]) == ("vmaf", "")


def test_a_search_by_xpsnr_is_told_in_decibels(program: Program, clip: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = program("crf-search", "-i", clip, *XPSNR, "--json", "--report", page, "--plot", tmp_path / "curve.png")
    assert ended.code == 0, ended.err
    report = ended.json
    assert (
        report["metric"] == "xpsnr" and 36 <= report["score"] <= 37 and report["score"] == report["probes"][-1]["score"]
    )
    assert all(report[name] is None for name in TWINS) and report["predicted_score"] > 0
    again = program("crf-search", "-i", clip, *XPSNR)
    assert f"XPSNR {report['score']:.2f} dB (verified" in again.out and "XPSNR 36 to 37 dB" in again.err
    assert "VMAF" not in again.out + again.err
    shown = page.read_text()
    assert f"gives XPSNR {report['score']:.2f} dB" in shown and "VMAF" not in shown


def test_an_encode_by_xpsnr_is_scored_whole(program: Program, clip: Path, tmp_path: Path) -> None:
    line = ("encode", "-i", clip, "-o", tmp_path / "out.mkv", *XPSNR, "--final-score")
    ended = program(*line, "--report", tmp_path / "page.html")
    assert ended.code == 0 and "XPSNR   " in ended.out and "dB of the whole" in ended.out and "VMAF" not in ended.out
    assert "VMAF" not in (tmp_path / "page.html").read_text()
    report = program(*line, "--resume", "--json").json
    assert report["metric"] == "xpsnr" and report["final_score"] > 35 and report["final_vmaf"] is None


def test_what_cannot_be_met_says_of_which_metric(program: Program, clip: Path) -> None:
    ended = program("crf-search", "-i", clip, *USUAL, "--min-xpsnr", "70", "--min-crf", "30")
    assert (
        ended.code == 3 and "XPSNR 70 dB cannot be met" in ended.err and "lower --min-xpsnr or --min-crf" in ended.err
    )


def test_a_ladder_and_a_comparison_by_xpsnr(program: Program, clip: Path, tmp_path: Path) -> None:
    whole, table = ("--sample-duration", "0"), tmp_path / "points.csv"
    ladder = program("ladder", "-i", clip, *USUAL, *whole, "--min-xpsnr", "36", "--rungs", "2", "--csv", table)
    assert ladder.code == 0 and "XPSNR, dB" in ladder.out and "VMAF" not in ladder.out + ladder.err, ladder.err
    rows = list(csv.DictReader(table.open()))
    assert {row["metric"] for row in rows} == {"xpsnr"} and not any(row["vmaf"] for row in rows)
    names = ("-e", "libx264:ultrafast", "-e", "libx264:superfast")
    line = ("compare", "-i", clip, *names, *whole, "--min-xpsnr", "36", "--tolerance", "1")
    compared = program(*line)
    assert compared.code == 0 and "XPSNR, dB" in compared.out and "VMAF" not in compared.out + compared.err, (
        compared.err
    )
    report = program(*line, "--json").json
    assert report["metric"] == "xpsnr" and all(encode["score"] >= 36 for encode in report["encodes"])
    assert "XPSNR 31.45 dB:" in compared.err, "as far below as 13 VMAF, not 13 dB"


def test_the_worst_frames_by_xpsnr(program: Program, clip: Path, encode: Path) -> None:
    line = ("worst-frames", clip, encode, "--metric", "xpsnr", "-n", "2")
    text, report = program(*line).out, program(*line, "--json").json
    assert text.startswith(f"XPSNR {report['score']:.4f} dB, the mean of 12 frames") and "VMAF" not in text
    assert report["worst"][0]["score"] <= report["worst"][1]["score"] and report["worst"][0]["vmaf"] is None


def test_models_of_a_generation(program: Program, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=256x256:rate=25:duration=0.16", "-c:v", "libx264", "-qp", "30", film)
    line = ("score", film, film, "--vmaf-scale", "none", "--vmaf-generation", "v1")
    report = program(*line, "--json").json
    assert report["vmaf_model"] == "vmaf_v1.0.16_3d0h" and report["scale"]["model"] == report["vmaf_model"]
    assert report["vmaf"] == report["score"] and "vmaf_v1.0.16_3d0h" in program(*line).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--metric xpsnr --min-vmaf 93", "--min-vmaf is of VMAF; name the target with --min-score"),
        ("--min-vmaf 93 --min-xpsnr 40", "--min-vmaf and --min-xpsnr are of two metrics; give one"),
        ("--min-vmaf 93 --min-score 92", "are two targets; give one"),
        ("--min-xpsnr 101", "--min-xpsnr 101 must be above 0 and at most 100: XPSNR ends there"),
        ("--metric nosuch", "--metric nosuch: no such metric"),
        ("--metric xpsnr --vmaf-model vmaf_v0.6.1", "--vmaf-model is of VMAF"),
        ("--vmaf-generation v1 --vmaf-model vmaf_v0.6.1", "leave out --vmaf-generation v1"),
    ],
)
def test_two_that_do_not_go_together_are_a_line(program: Program, clip: Path, options: str, said: str) -> None:
    ended = program("crf-search", "-i", clip, *USUAL, *options.split())
    assert ended.code == 2 and said in ended.complaint()


def test_a_shot_by_shot_encode_by_a_mean_that_is_none_is_refused(program: Program, clip: Path) -> None:
    ended = program("encode", "-i", clip, *XPSNR, "--per-shot")
    assert ended.code == 2 and "XPSNR is no mean of its frames' scores" in ended.complaint()


def test_a_metric_on_the_command_line_puts_aside_what_is_configured_of_another(
    program: Program, clip: Path, tmp_path: Path
) -> None:
    config = tmp_path / "vmaf.toml"
    config.write_text('[search]\nmin-vmaf = 93\ntolerance = 5\nvmaf-model = "vmaf_v0.6.1neg"\nmax-probes = 3\n')
    ended = program("crf-search", "-i", clip, *USUAL, "--config", config, "--metric", "xpsnr", "--json")
    report = ended.json
    assert (report["metric"], report["target"], report["tolerance"]) == ("xpsnr", 40.0, 0.1)


def test_a_metric_can_be_configured(program: Program, clip: Path, tmp_path: Path) -> None:
    config = tmp_path / "xpsnr.toml"
    config.write_text('[search]\nmetric = "xpsnr"\nmin-score = 36\ntolerance = 1\n')
    report = program("crf-search", "-i", clip, *USUAL, "--config", config, "--json").json
    assert (report["metric"], report["target"]) == ("xpsnr", 36.0)
    config.write_text('[search]\nmetric = "xpsnr"\nmin-vmaf = 93\n')
    ended = program("crf-search", "-i", clip, *USUAL, "--config", config)
    assert ended.code == 2 and str(config) in ended.complaint() and "--min-vmaf is of VMAF" in ended.complaint()


def test_rows_of_a_batch_may_be_of_several_metrics(program: Program, clip: Path, tmp_path: Path) -> None:
    table, page, out = tmp_path / "films.csv", tmp_path / "page.html", tmp_path / "out.csv"
    table.write_text(f"file,min-xpsnr,min-vmaf\n{clip},20,\n{clip},,60\n")
    short = ("--crf-increment", "2", "--min-crf", "28", "--max-crf", "30", "--vmaf-scale", "none")
    ended = program("batch", table, "--search-only", *USUAL, *short, "--min-vmaf", "70", "--report", page)
    assert ended.code == 0 and "XPSNR " in ended.out and "VMAF " in ended.out, ended.err
    program("batch", "export", out)
    first, second = csv.DictReader(out.open())
    assert (first["metric"], first["unit"], first["vmaf"]) == ("xpsnr", "dB", "") and float(first["score"]) >= 20
    assert (second["metric"], second["vmaf"]) == ("vmaf", second["score"])
    assert "XPSNR, median" in page.read_text() and "VMAF, median" in page.read_text()


def test_events_say_what_scores_are_of(program: Program, clip: Path) -> None:
    lines = program("crf-search", "-i", clip, *XPSNR, "--events", "jsonl").out.splitlines()
    events = {event["event"]: event for event in map(json.loads, lines)}
    assert (events["prepared"]["metric"], events["prepared"]["unit"]) == ("xpsnr", "dB")
    assert events["predicted"]["vmaf"] is None and events["predicted"]["score"] > 0
    assert events["probed"]["probe"]["scale"]["metric"] == "xpsnr" and events["result"]["search"]["unit"] == "dB"


def test_the_api_takes_the_same_options(program: Program, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(program.home / "cache"))
    report = vmaftune.search(clip, encoder="libx264", preset="ultrafast", min_xpsnr=36.0, tolerance=1.0)
    assert report.metric == "xpsnr" and 36 <= report.score <= 37 and report.vmaf is None
    assert report.measure.text(report.score).endswith(" dB")


def test_a_shell_completes_metrics_and_models() -> None:
    context = click.Context(click.Command("crf-search"))
    assert complete.metric(context, click.Option(["--metric"]), "x") == ["xpsnr"]
    assert "vmaf_v1.0.16_3d0h" in complete.vmaf_model(context, click.Option(["--vmaf-model"]), "vmaf_v1")

"""What was scored once is not scored again, as long as nothing has changed that could change the score."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import X264, Program


def test_the_same_search_again_encodes_nothing(program: Program, clip: Path) -> None:
    first, second = program.search(clip), program.search(clip)
    assert first["probe_count"] > 0 and second["probe_count"] == 0
    assert (second["crf"], second["vmaf"]) == (first["crf"], first["vmaf"])
    assert all(probe["cached"] for probe in second["probes"]) and second["feature_seconds"] == 0


def test_another_target_begins_with_the_scores_there_are(program: Program, clip: Path) -> None:
    known = {probe["crf"] for probe in program.search(clip)["probes"]}
    second = program.search(clip, "--min-vmaf", "85")
    assert {probe["crf"] for probe in second["probes"] if probe["cached"]} == known
    assert second["vmaf"] >= 85


def test_no_cache_probes_again_and_keeps_nothing(program: Program, clip: Path) -> None:
    first = program.search(clip)
    again = program.search(clip, "--no-cache")
    assert again["probe_count"] == first["probe_count"]
    assert again["crf"] == first["crf"]


def test_a_file_of_another_name_is_known_by_its_content(program: Program, clip: Path, tmp_path: Path) -> None:
    program.search(clip)
    renamed = tmp_path / "renamed.mkv"
    renamed.write_bytes(clip.read_bytes())
    assert program.search(renamed)["probe_count"] == 0


@pytest.mark.parametrize(
    "change",
    [
        "--preset superfast",
        "--enc g=6",
        "--enc x264-params=keyint=6",
        "--vfilter hue=s=0",
        "--vmaf-scale 384x216",
        "--vmaf-model vmaf_v0.6.1neg",
        "--pix-format yuv444p",
        "-e libx265",
    ],
)
def test_what_changes_a_score_is_probed_anew(program: Program, clip: Path, change: str) -> None:
    program.search(clip)
    report = program.search(clip, *change.split())
    assert report["probe_count"] == len(report["probes"]) > 0


def test_pooling_is_made_of_the_cached_frames(program: Program, clip: Path) -> None:
    mean = {probe["crf"]: probe["vmaf"] for probe in program.search(clip)["probes"]}
    lowest = {probe["crf"]: probe for probe in program.search(clip, "--pool", "min", "--min-vmaf", "80")["probes"]}
    assert mean.keys() <= lowest.keys()
    assert all(lowest[crf]["cached"] and lowest[crf]["vmaf"] < mean[crf] for crf in mean)


def test_info_counts_what_clear_removes(program: Program, clip: Path) -> None:
    probes = program.search(clip, "--plugin", "ridge-sidecar")["probe_count"]
    info = program("cache", "info", "--json").json
    assert info["records"]["probe"] == probes and info["records"]["features"] == 1
    assert info["path"] == str(program.cache / "cache.sqlite") and info["bytes"] > 0
    assert f"{probes:8d}  probe" in program("cache", "info").out
    cleared = program("cache", "clear")
    assert cleared.code == 0 and cleared.out.startswith(f"{sum(info['records'].values())} records removed")
    assert program("cache", "info", "--json").json["records"] == {}
    assert list(program.cache.glob("sidecar/*/libx264/state.json")), "what was learned stays"
    assert program.search(clip)["probe_count"] > 0


def test_clear_says_when_it_cannot(program: Program) -> None:
    (program.home / "file").write_text("no folder")
    ended = program("cache", "clear", "--cache-dir", program.home / "file")
    assert ended.code == 1 and "nothing was cleared" in ended.err and "Traceback" not in ended.err


def test_the_cache_can_live_elsewhere(program: Program, clip: Path, tmp_path: Path) -> None:
    program.search(clip, "--cache-dir", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "cache.sqlite").is_file()
    assert not program.cache.exists()


def test_a_damaged_file_of_the_same_size_is_another_source(program: Program, clip: Path, tmp_path: Path) -> None:
    program.search(clip)
    content = bytearray(clip.read_bytes())
    content[-20] ^= 0xFF
    other = tmp_path / "other.mkv"
    other.write_bytes(content)
    ended = program("crf-search", "-i", other, *X264, "--min-vmaf", "90")
    assert "from the cache" not in ended.err

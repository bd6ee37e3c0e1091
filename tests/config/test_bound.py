"""Values that are said of an encoder go with it, whichever file or option names another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.config.bound import laid_over, search_for
from vmaftune.config.load import load_config
from vmaftune.config.schema import SearchTable

X265 = SearchTable(encoder="libx265", preset="slow", pix_format="yuv420p10le", min_crf=20.0, vfilter="hqdn3d")


def test_another_encoder_takes_what_is_of_no_encoder_alone() -> None:
    assert search_for(X265, {"encoder": "libx264"}) == SearchTable(encoder="libx265", vfilter="hqdn3d")
    assert search_for(X265, {"encoder": "libx265"}) is X265 and search_for(X265, {}) is X265


def test_values_beside_no_encoder_are_of_whichever_is_used() -> None:
    assert search_for(SearchTable(preset="slow"), {"encoder": "libx264"}).preset == "slow"


def test_a_row_with_another_encoder_keeps_no_preset_of_the_batch() -> None:
    batch = {"encoder": "libx265", "preset": "slow", "enc": ["a=b"], "min_vmaf": 90}
    assert laid_over(batch, {"encoder": "libx264"}) == {"encoder": "libx264", "min_vmaf": 90}
    assert laid_over(batch, {"min_vmaf": 80})["preset"] == "slow"


def test_a_stronger_file_with_another_encoder_replaces_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "vmaf-tune.toml").write_text('[search]\nencoder = "libx265"\npreset = "slow"\nmin-vmaf = 90\n')
    (tmp_path / "named.toml").write_text('[search]\nencoder = "libsvtav1"\n')
    search = load_config(Path("named.toml")).search
    assert (search.encoder, search.preset, search.min_vmaf) == ("libsvtav1", None, 90)


def test_another_metric_keeps_no_target_of_the_one_before() -> None:
    vmaf = SearchTable(min_vmaf=93.0, tolerance=0.5, vmaf_model="vmaf_v0.6.1neg", max_probes=4)
    assert search_for(vmaf, {"metric": "xpsnr"}) == SearchTable(max_probes=4)
    assert search_for(vmaf, {"min_xpsnr": 40.0}) == SearchTable(max_probes=4)
    assert search_for(vmaf, {"metric": "vmaf"}) is vmaf
    assert search_for(SearchTable(metric="xpsnr", min_score=40.0), {"min_vmaf": 93.0}) == SearchTable()


def test_a_target_replaces_all_that_are_said_below_it_and_the_metric_stays() -> None:
    assert laid_over({"min_vmaf": 93.0}, {"min_score": 90.0}) == {"metric": "vmaf", "min_score": 90.0}
    assert laid_over({"min_xpsnr": 41.0}, {"min_score": 40.0}) == {"metric": "xpsnr", "min_score": 40.0}
    assert laid_over({"min_vmaf": 93.0, "tolerance": 2.0}, {"min_xpsnr": 40.0}) == {"min_xpsnr": 40.0}
    assert laid_over({"vmaf_generation": "v1"}, {"vmaf_model": "x.json"}) == {"vmaf_model": "x.json"}

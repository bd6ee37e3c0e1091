"""Values that are said of an encoder go with it, whichever file or option names another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.config.bound import laid_over, search_for
from vmaftune.config.load import load_config
from vmaftune.config.schema import SearchTable

X265 = SearchTable(encoder="libx265", preset="slow", pix_format="yuv420p10le", min_crf=20.0, vfilter="hqdn3d")


def test_another_encoder_takes_what_is_of_no_encoder_alone() -> None:
    assert search_for(X265, "libx264") == SearchTable(encoder="libx265", vfilter="hqdn3d")
    assert search_for(X265, "libx265") is X265 and search_for(X265, None) is X265


def test_values_beside_no_encoder_are_of_whichever_is_used() -> None:
    assert search_for(SearchTable(preset="slow"), "libx264").preset == "slow"


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

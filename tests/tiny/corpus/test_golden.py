"""The pairs whose values VMAF's authors publish, through the path that training reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.tiny.corpus.load import load_table


@pytest.mark.parametrize("place", [0, 1, 2])
def test_published_values(place: int, shared: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    golden = shared / "golden"
    pair = json.loads((golden / "golden.json").read_text())["pairs"][place]
    for name in ("ref", "dis"):
        (tmp_path / name).mkdir()
    shutil.copy(
        golden / pair["reference"], tmp_path / "ref" / f"golden_{pair['width']}x{pair['height']}_{pair['pix_fmt']}.yuv"
    )
    shutil.copy(golden / pair["distorted"], tmp_path / "dis" / f"golden_x_{pair['height']}_1.yuv")
    table = load_table(tmp_path, ffmpeg, cache=tmp_path / "cache")
    assert len(table) == pair["frames"]
    assert table.scores.mean() == pytest.approx(pair["vmaf"], abs=5e-5)
    means = dict(zip(CANONICAL_6, table.features.mean(axis=0), strict=True))
    for name, value in pair.get("features", {}).items():
        assert means[name] == pytest.approx(value, abs=5e-5), name

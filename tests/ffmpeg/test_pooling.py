"""How frame scores become one: libvmaf's own formulas, and percentiles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Moving
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.escape import file_url
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.quality.compare import graph
from vmaftune.quality.metric import Comparison
from vmaftune.quality.pooling import check_pool, pooled
from vmaftune.quality.vmaf import MODEL_HD, VMAF, read_log

_POOLS = ["mean", "harmonic_mean", "min", "p0", "p5", "p50", "p100"]


def test_libvmafs_own_pooled_metrics(moving: Moving, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    log = tmp_path / "vmaf.json"
    comparison = Comparison(metric=VMAF, model=MODEL_HD, size=None, pix_fmt="yuv420p")
    compared = graph("0:0", "0:0", comparison, reference_filter="noise=alls=40:all_seed=1", threads=2, log=log)
    process.run(
        ffmpeg.path, ["-i", file_url(moving.plain), "-filter_complex", compared, "-map", "[scored]", "-f", "null", "-"]
    )
    own = json.loads(log.read_text())["pooled_metrics"]["vmaf"]
    scores = np.array([frame["vmaf"] for frame in read_log(log)])
    assert scores.std() > 1, "scores that differ, so that the formulas do"
    for pool in ("mean", "harmonic_mean", "min"):
        assert pooled(scores, pool) == pytest.approx(own[pool], abs=1e-5)


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=50), st.sampled_from(_POOLS))
def test_within_the_scores(values: list[float], pool: str) -> None:
    scores = np.array(values)
    assert scores.min() - 1e-9 <= pooled(scores, check_pool(pool)) <= scores.max() + 1e-9


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=50))
def test_in_order(values: list[float]) -> None:
    least, harmonic, mean = (pooled(np.array(values), pool) for pool in ("min", "harmonic_mean", "mean"))
    assert least <= harmonic + 1e-9 <= mean + 2e-9


@pytest.mark.parametrize("pool", ["", "p", "p101", "p-1", "p5.5", "median", "MEAN", "harmonic"])
def test_no_such_pool(pool: str) -> None:
    with pytest.raises(UserError, match="--pool"):
        check_pool(pool)


def test_a_log_that_was_not_written_is_not_laid_to_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(
        VmafTuneError, match=r"libvmaf wrote no log to .*: it could not measure these pictures"
    ) as raised:
        read_log(tmp_path / "vmaf.json")
    assert "disk" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b'{"frames": [{"metrics": {"vmaf": 9', b"[]"])
def test_a_log_that_is_not_whole(content: bytes, tmp_path: Path) -> None:
    log = tmp_path / "vmaf.json"
    log.write_bytes(content)
    with pytest.raises(VmafTuneError, match=r"is not whole: .*; is the disk full"):
        read_log(log)

"""The metric keeps vmaf-tune's contract, and measures what ffmpeg says it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmaftune_plugin_template.psnr import Psnr

from vmaftune.contract import Asked, Pictures
from vmaftune.errors import UserError
from vmaftune.testing import parametrize_with_checks

LINE = "n:1 mse_avg:0.53 mse_y:0.67 mse_u:0.25 mse_v:0.30 psnr_avg:50.89 psnr_y:49.90 psnr_u:54.15 psnr_v:53.41 \n"
LOSSLESS = "n:2 mse_avg:0.00 mse_y:0.00 mse_u:0.00 mse_v:0.00 psnr_avg:inf psnr_y:inf psnr_u:inf psnr_v:inf \n"


@parametrize_with_checks("psnr")
def test_contract(check):
    check()


def test_a_log_is_read_and_a_frame_without_error_has_100_db(tmp_path: Path) -> None:
    log = tmp_path / "psnr.log"
    log.write_text(LINE + LOSSLESS)
    frames = Psnr().read_log(log)
    assert Psnr().scores(frames).tolist() == [50.89, 100.0]
    assert Psnr().features(frames[0]) == {"psnr_y": 49.90, "psnr_u": 54.15, "psnr_v": 53.41}


def test_it_has_no_models() -> None:
    with pytest.raises(UserError, match="no models"):
        Psnr().decide(Asked(model="vmaf_v0.6.1"), Pictures(width=640, height=360))

"""XPSNR: what ffmpeg's own log says, at any depth and width."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Clips
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.escape import file_url
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.quality.compare import graph
from vmaftune.quality.metric import Asked, Pictures
from vmaftune.quality.xpsnr import Xpsnr

XPSNR = Xpsnr()


def _compared(
    ffmpeg: Ffmpeg, clip: Path, noise: int, log: Path, bit_depth: int = 8
) -> tuple[list[dict[str, float]], str]:
    """Metrics of each frame of a clip with noise, and what ffmpeg itself says of them."""
    comparison = XPSNR.decide(Asked(), Pictures(width=100, height=100, bit_depth=bit_depth))
    distort = f"noise=alls={noise}:all_seed=1" if noise else None
    compared = graph("0:0", "0:0", comparison, reference_filter=None, distorted_filter=distort, threads=1, log=log)
    arguments = ["-i", file_url(clip), "-filter_complex", compared, "-map", "[scored]", "-f", "null", "-"]
    process.run(ffmpeg.path, arguments)
    return XPSNR.read_log(log), log.read_text()


@pytest.mark.parametrize("noise", [2, 10, 40])
@pytest.mark.parametrize(
    ("size", "pix_fmt"), [("320x180", "yuv420p"), ("214x120", "yuv420p"), ("214x120", "yuv420p10le")]
)
def test_the_mean_is_that_of_ffmpegs_log(
    size: str, pix_fmt: str, noise: int, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    clip = clips.lavfi(
        f"x-{size}-{pix_fmt}.mkv",
        f"mandelbrot=size={size}:rate=25,trim=end_frame=12",
        ["-pix_fmt", pix_fmt, "-c:v", "ffv1"],
    )
    frames, said = _compared(ffmpeg, clip, noise, tmp_path / "x.log")
    scores = XPSNR.scores(frames)
    assert scores.shape == (12, 3) and XPSNR.of_frames(scores).shape == (12,)
    own = re.search(r"XPSNR average, 12 frames +y: (\S+) +u: (\S+) +v: (\S+) +\(minimum: (\S+)\)", said)
    assert own is not None
    assert XPSNR.pooled(scores, "mean") == pytest.approx(float(own[4]), abs=2e-4)
    for plane in range(3):
        assert XPSNR.pooled(scores[:, [plane]], "mean") == pytest.approx(float(own[1 + plane]), abs=2e-4)


def test_depth_makes_no_other_number(clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """ffmpeg's filter takes the lines of deeper pictures to be as long as they are wide; a width of 214 shows it."""
    means = []
    for pix_fmt in ("yuv420p", "yuv420p10le"):
        source = "mandelbrot=size=214x120:rate=25,trim=end_frame=12,format=yuv420p"
        clip = clips.lavfi(f"depth-{pix_fmt}.mkv", source, ["-pix_fmt", pix_fmt, "-c:v", "ffv1"])
        frames, _ = _compared(ffmpeg, clip, 10, tmp_path / "x.log", 10)
        means.append(XPSNR.pooled(XPSNR.scores(frames), "mean"))
    assert means[1] == pytest.approx(means[0], abs=1.0), "a wrong line length takes off 10 dB and more"


def test_no_error_is_100_db(clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    clip = clips.lavfi("same.mkv", "testsrc2=size=160x90:rate=25:duration=0.2", ["-c:v", "ffv1"])
    frames, _ = _compared(ffmpeg, clip, 0, tmp_path / "x.log")
    scores = XPSNR.scores(frames)
    assert scores.min() == 100.0 and XPSNR.pooled(scores, "mean") == 100.0 and XPSNR.pooled(scores, "p5") == 100.0


def test_the_worst_plane_decides() -> None:
    scores = np.array([[40.0, 30.0, 45.0], [40.0, 50.0, 45.0]])
    assert XPSNR.of_frames(scores).tolist() == [30.0, 40.0]
    assert XPSNR.pooled(scores, "min") == 30.0
    assert XPSNR.pooled(scores, "mean") == pytest.approx(-20 * np.log10((10**-1.5 + 10**-2.5) / 2))


def test_what_is_of_vmaf_is_refused() -> None:
    pictures = Pictures(width=640, height=360)
    for asked, option in ((Asked(model="vmaf_v0.6.1"), "--vmaf-model"), (Asked(generation="v1"), "--vmaf-generation")):
        with pytest.raises(UserError, match=f"{option} is of VMAF"):
            XPSNR.decide(asked, pictures)
    with pytest.raises(UserError, match="harmonic_mean"):
        XPSNR.check_pool("harmonic_mean")


def test_a_log_that_is_not_whole(tmp_path: Path) -> None:
    with pytest.raises(VmafTuneError, match="missing or not whole"):
        XPSNR.read_log(tmp_path / "none.log")
    (tmp_path / "torn.log").write_text("n:    1  XPSNR y: 3x  XPSNR u: 40.0  XPSNR v: 40.0\n")
    with pytest.raises(VmafTuneError, match="missing or not whole"):
        XPSNR.read_log(tmp_path / "torn.log")

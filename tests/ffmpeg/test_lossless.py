"""A lossless encode scores, frame by frame, what the source scores against itself: no picture, range or format is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Clips, Scorer, decided
from vmaftune.encoding.probe import score_files
from vmaftune.ffmpeg.command import read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts

# For each: the lavfi chain of the source, its encode, and extra arguments that make the probe's encode lossless.
_QP_0 = ["-c:v", "libx264", "-qp", "0"]
_SOURCES = {
    "8-bit": ("format=yuv420p", _QP_0),
    "10-bit": ("format=yuv420p10le", _QP_0),
    "full-range": ("scale=out_range=full,format=yuvj420p", _QP_0),
    "4:2:2": ("format=yuv422p", _QP_0),
    "4:4:4": ("format=yuv444p", _QP_0),
    "4:4:4 10-bit": ("format=yuv444p10le", _QP_0),
    "gray": ("format=gray", ["-c:v", "ffv1"]),
    "alpha": ("format=yuva420p", ["-c:v", "ffv1"]),
    "rgb": ("format=bgr0", ["-c:v", "ffv1"]),
}


@pytest.mark.parametrize("one_process", [True, False])
@pytest.mark.parametrize("kind", _SOURCES)
def test_lossless_encode_is_the_identical_pair(
    kind: str, one_process: bool, clips: Clips, score: Scorer, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    chain, encode = _SOURCES[kind]
    name = kind.replace(":", "").replace(" ", "-")
    source = clips.lavfi(f"lossless-{name}.mkv", f"testsrc2=size=160x90:rate=25:duration=0.48,{chain}", encode)
    facts = read_facts(source)
    itself = (read(source), facts.stream_index)
    comparison = decided(facts.width, facts.height, facts.bit_depth, size="none")
    identical, *_ = score_files(ffmpeg, itself, itself, comparison, threads=2, folder=tmp_path)
    encoded = score(source, crf=0, preset="ultrafast", one_process=one_process)
    assert np.allclose(encoded.frame_scores, [frame["vmaf"] for frame in identical], rtol=0, atol=1e-6)


def test_the_format_of_the_source_is_kept(clips: Clips) -> None:
    """The full-range and 10-bit sources above are what their names say."""
    full = clips.lavfi("full.mkv", "testsrc2=size=160x90:duration=0.2,scale=out_range=full,format=yuvj420p", _QP_0)
    assert read_facts(full).pix_fmt == "yuvj420p"
    ten = clips.lavfi("ten.mkv", "testsrc2=size=160x90:duration=0.2,format=yuv420p10le", _QP_0)
    assert read_facts(ten).bit_depth == 10

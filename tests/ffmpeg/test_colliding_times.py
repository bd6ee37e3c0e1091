"""Bursts of frames within one tick of the frame rate reach every encoder in order, each with a time of its own.

Without the filter that sees to it, libvvenc's frames came back in another order from the loopback decoder (VMAF 36 for a
true 95).
"""

from __future__ import annotations

import numpy as np
import pytest
from vmaftune_plugins.encoders import _SOFTWARE

from tests.conftest import FRAMES, Moving, Scorer
from tests.ffmpeg.test_two_processes import FAST
from vmaftune.contract.encoders import EncoderSpec

_BURSTS = [
    *("-vf", "settb=1/90000,setpts='floor(N/10)*36000+mod(N,10)*90'"),
    *("-fps_mode", "passthrough", "-enc_time_base", "1/90000"),
]


@pytest.mark.parametrize("spec", _SOFTWARE, ids=lambda spec: spec.name)
def test_bursts_score_like_a_constant_rate(spec: EncoderSpec, moving: Moving, score: Scorer) -> None:
    """No encoder but x264 looks at times to decide on quality: it spends less on what is shown for a shorter time."""
    bursts = moving.at("bursts.mkv", "25", _BURSTS)
    encoded, plain = (score(path, spec, 30.0, preset=FAST[spec.name]) for path in (bursts, moving.plain))
    assert len(encoded.frame_scores) == FRAMES
    if spec.name == "libx264":
        assert encoded.encoded_bytes < plain.encoded_bytes
        assert np.all(np.abs(encoded.frame_scores - plain.frame_scores) < 15), "each frame is beside itself"
    else:
        assert np.array_equal(encoded.frame_scores, plain.frame_scores)
        assert encoded.encoded_bytes == plain.encoded_bytes

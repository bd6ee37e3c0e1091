"""One process and two processes give the same score of every frame, for every software encoder."""

from __future__ import annotations

import numpy as np
import pytest
from vmaftune_plugins.encoders import _SOFTWARE

from tests.conftest import FRAMES, Moving, Scorer
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.ffmpeg.locate import Ffmpeg

FAST = {
    "libx264": "superfast",
    "libx265": "ultrafast",
    "libsvtav1": "12",
    "libaom-av1": "8",
    "libvpx-vp9": "8",
    "libvvenc": "faster",
}


@pytest.mark.parametrize("spec", _SOFTWARE, ids=lambda spec: spec.name)
def test_same_score_of_every_frame(spec: EncoderSpec, moving: Moving, score: Scorer, ffmpeg: Ffmpeg) -> None:
    assert ffmpeg.loopback, "the embedded ffmpeg decodes its own encode"
    crf = 30.0
    one, two = (score(moving.plain, spec, crf, preset=FAST[spec.name], one_process=one) for one in (True, False))
    assert len(one.frame_scores) == FRAMES
    assert np.allclose(one.frame_scores, two.frame_scores, rtol=0, atol=1e-6)
    assert one.score_seconds == 0.0 < two.score_seconds
    # Headers stand in the stream or in the container, which is a few kilobytes at most.
    assert abs(one.encoded_bytes - two.encoded_bytes) < 4096

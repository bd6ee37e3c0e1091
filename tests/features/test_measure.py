"""Features of real clips, the strangest ones too: numbers all of them, and the same on every run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import WHOLE, Clips
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION
from vmaftune.escape import file_url
from vmaftune.features.measure import Measured, measure
from vmaftune.features.pilot import X264
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import cut

_CLIPS = {
    "black": "color=black:size=128x72:rate=25:duration=1",
    "white": "color=white:size=128x72:rate=25:duration=1",
    "one frame": "testsrc2=size=128x72:rate=25:duration=0.04",
    "two frames": "testsrc2=size=128x72:rate=25:duration=0.08",
    "three frames": "testsrc2=size=128x72:rate=25:duration=0.12",
    "tiny": "testsrc2=size=16x16:rate=25:duration=1",
    "flat": "testsrc2=size=1024x16:rate=25:duration=1",
    "tall": "testsrc2=size=32x128:rate=25:duration=1",
    "noise": "color=gray:size=128x72:rate=25:duration=1,noise=alls=100:allf=t:all_seed=1",
    "10 bits": "testsrc2=size=128x72:rate=25:duration=1,format=yuv420p10le",
    "4:4:4": "testsrc2=size=128x72:rate=25:duration=1,format=yuv444p",
    "one per second": "testsrc2=size=128x72:rate=1:duration=20",
    "many per second": "testsrc2=size=128x72:rate=240:duration=0.5",
}


def _measured(clips: Clips, kind: str) -> Measured:
    path = clips.lavfi(f"{kind.replace(' ', '-').replace(':', '')}.mkv", _CLIPS[kind])
    facts = read_facts(path)
    samples = cut(path, facts, WHOLE, clips.folder)
    return measure(clips.ffmpeg, facts, samples, clips.folder, path, plan=X264)


@pytest.mark.parametrize("kind", _CLIPS)
@pytest.mark.filterwarnings("error")
def test_finite_and_the_same_again(kind: str, clips: Clips) -> None:
    first, second = _measured(clips, kind), _measured(clips, kind)
    assert first.features == second.features and first.frames == second.frames
    assert first.features.schema == SCHEMA_VERSION and len(first.features.values) == len(NAMES)
    assert np.isfinite(first.features.values).all()
    assert np.abs(first.features.scaled()).max() <= 4.0


def test_they_tell_clips_apart(clips: Clips) -> None:
    black, white, noise, ten = (_measured(clips, kind).features for kind in ("black", "white", "noise", "10 bits"))
    assert black["luma_mean"] == pytest.approx(16, abs=1) and white["luma_mean"] == pytest.approx(235, abs=1)
    assert black["ti_mean"] == black["si_mean"] == black["luma_difference"] == 0
    assert noise["ti_mean"] > 5 and noise["temporal_outliers"] > black["temporal_outliers"]
    assert noise["log2_bits_per_pixel"] > black["log2_bits_per_pixel"]
    assert (black["bit_depth"], ten["bit_depth"]) == (8, 10)


def test_luma_is_on_the_scale_of_8_bits_whatever_the_depth(clips: Clips) -> None:
    eight = clips.lavfi("eight.mkv", "testsrc2=size=128x72:rate=25:duration=1,format=yuv420p")
    ten = clips.make("ten.mkv", ["-i", file_url(eight), "-pix_fmt", "yuv420p10le", "-c:v", "libx264", "-qp", "0"])
    pair = []
    for path in (eight, ten):
        facts = read_facts(path)
        features = measure(
            clips.ffmpeg, facts, cut(path, facts, WHOLE, clips.folder), clips.folder, path, plan=X264
        ).features
        pair.append([features[name] for name in NAMES[NAMES.index("si_mean") :]])
    assert np.allclose(*pair, rtol=0.02, atol=0.5)


def test_a_stream_without_times_has_features_too(clips: Clips) -> None:
    path = clips.lavfi("bare.h264", "testsrc2=size=128x72:rate=25:duration=1", ["-c:v", "libx264"])
    facts = read_facts(path)
    features = measure(
        clips.ffmpeg, facts, cut(path, facts, WHOLE, clips.folder), clips.folder, path, plan=X264
    ).features
    assert np.isfinite(features.values).all() and features["log2_bits_per_pixel"] > -10


def test_the_scale_is_fixed() -> None:
    assert all(scale.spread > 0 for scale in FEATURES.values())

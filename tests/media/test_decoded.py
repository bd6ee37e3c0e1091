"""Sizes are those of the pictures that ffmpeg decodes, also where the container crops them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Clips
from tests.media.odd import cropped
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.decoded import decoded_facts
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import SampleRule, cut


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_container_crops(suffix: str, clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    path = cropped(clips, tmp_path)
    if suffix == "mp4":
        clips.run(["-i", str(path), "-c", "copy", str(tmp_path / "clap.mp4")])
        path = tmp_path / "clap.mp4"
    facts = decoded_facts(ffmpeg, path)
    assert (facts.width, facts.height, facts.cropped) == (64, 32, True)
    assert facts.identity != read_facts(path).identity
    samples = cut(path, facts, SampleRule(samples=2, duration_seconds=0.4), tmp_path)
    assert [decoded_facts(ffmpeg, sample.path).height for sample in samples] == [32, 32]
    assert np.allclose([sample.seconds for sample in samples], 0.4, atol=0.1)


def test_a_turned_picture_is_not_taken_for_a_cropped_one(clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    plain = clips.lavfi("plain.mp4", "testsrc2=size=64x48:rate=25:duration=0.2")
    clips.run(["-display_rotation", "90", "-i", str(plain), "-c", "copy", str(tmp_path / "turned.mp4")])
    facts = decoded_facts(ffmpeg, tmp_path / "turned.mp4")
    assert (facts.width, facts.height, facts.cropped) == (48, 64, False)

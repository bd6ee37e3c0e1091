"""Facts of the first real video stream."""

from __future__ import annotations

import pytest

from tests.conftest import Clips, Moving
from vmaftune.media.facts import read_facts


def test_facts_of_a_plain_clip(moving: Moving) -> None:
    facts = read_facts(moving.at("facts.mp4", "30000/1001"))
    assert (facts.stream_index, facts.width, facts.height) == (0, 160, 90)
    assert facts.fps == pytest.approx(30000 / 1001)
    assert facts.duration_seconds == pytest.approx(36 * 1001 / 30000, abs=1e-3)
    assert (facts.pix_fmt, facts.bit_depth, facts.codec, facts.declared_frames) == ("yuv420p", 8, "h264", 36)


def test_sound_before_video(clips: Clips) -> None:
    inputs = ["-f", "lavfi", "-i", "sine=duration=0.4", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=0.4"]
    path = clips.make("sound-first.mkv", [*inputs, "-map", "0", "-map", "1", "-c:a", "pcm_s16le", "-c:v", "ffv1"])
    assert read_facts(path).stream_index == 1


def test_the_codec_is_named_not_its_decoder(clips: Clips) -> None:
    arguments = ["-c:v", "libsvtav1", "-preset", "12"]
    assert read_facts(clips.lavfi("codec.mp4", "testsrc2=size=128x72:rate=25:duration=0.2", arguments)).codec == "av1"


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_a_late_start_does_not_count_as_duration(suffix: str, moving: Moving) -> None:
    late = moving.at(f"late-facts.{suffix}", "25", ["-output_ts_offset", "12"])
    assert read_facts(late).duration_seconds == pytest.approx(36 / 25, abs=0.1)

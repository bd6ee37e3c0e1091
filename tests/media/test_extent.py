"""How long the video lasts, and that a file which ends before its video is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Clips
from tests.media.odd import with_sound
from vmaftune.errors import UserError
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import SampleRule, cut

_SOUND = {
    "mkv": ("-c:a", "aac"),
    "webm": ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"),
    "flv": ("-c:a", "aac"),
    "mp4": ("-c:a", "aac"),
    "ts": ("-c:a", "aac"),
    "nut": ("-c:a", "aac"),
    "avi": ("-c:v", "mpeg4", "-c:a", "mp2"),
}


@pytest.mark.parametrize("suffix", _SOUND)
def test_longer_sound_does_not_count(suffix: str, clips: Clips) -> None:
    facts = read_facts(with_sound(clips, f"longer.{suffix}", 30, *_SOUND[suffix]))
    assert facts.duration_seconds == pytest.approx(2.0, abs=0.05)


def test_without_statistics_the_packets_say_it(clips: Clips) -> None:
    plain = with_sound(clips, "longer.mkv", 30, "-c:a", "aac")
    untold = plain.with_name("untold.mkv")
    untold.write_bytes(plain.read_bytes().replace(b"DURATION", b"LONGNESS"))
    assert read_facts(untold).duration_seconds == pytest.approx(2.0, abs=0.05)


def test_samples_lie_within_the_video(clips: Clips, tmp_path: Path) -> None:
    path = with_sound(clips, "longer.mkv", 30, "-c:a", "aac")
    samples = cut(path, read_facts(path), SampleRule(samples=2, duration_seconds=0.4), tmp_path)
    assert [sample.start_seconds for sample in samples] == pytest.approx([0.4, 1.2], abs=0.21)


def test_a_raw_stream_lasts_as_long_as_its_frames(clips: Clips) -> None:
    raw = clips.lavfi("raw.h264", "testsrc2=size=64x48:rate=25:duration=1.2")
    assert read_facts(raw).duration_seconds == pytest.approx(1.2)


@pytest.mark.parametrize("dropped", ["gt(mod(n,10),4)", "gt(n,20)"])
def test_avi_with_empty_places_is_whole(dropped: str, clips: Clips, tmp_path: Path) -> None:
    chain = ["-vf", f"select='not({dropped})'", "-fps_mode", "passthrough", "-c:v", "mpeg4"]
    path = clips.lavfi("holes.avi", "testsrc2=size=64x48:rate=25:duration=2", chain)
    facts = read_facts(path)
    (sample,) = cut(path, facts, SampleRule(duration_seconds=0), tmp_path)
    assert facts.declared_frames == len(sample.packet_bytes)
    assert sample.seconds == pytest.approx(facts.duration_seconds, abs=0.3)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cut.mkv", ()),
        ("index-first.mkv", ("-cues_to_front", "1", "-reserve_index_space", "2000")),
        ("cut.webm", ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-b:v", "200k")),
        ("cut.mp4", ("-movflags", "+faststart")),
        ("fragments.mp4", ("-movflags", "+frag_keyframe+empty_moov")),
        ("cut.mov", ("-movflags", "+faststart")),
        ("cut.avi", ("-c:v", "mpeg4")),
        ("cut.flv", ()),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_cut_short_is_refused_in_one_line(
    name: str, arguments: tuple[str, ...], share: float, clips: Clips, tmp_path: Path
) -> None:
    if share > 0.9 and name.endswith(("avi", "flv")):
        pytest.skip("nothing but a rate of frames tells of so small a loss")
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", *arguments]
    whole = clips.lavfi(name, "testsrc2=size=96x64:rate=25:duration=12", video)
    assert read_facts(whole).duration_seconds == pytest.approx(12, abs=0.1)
    short = tmp_path / name
    short.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    with pytest.raises(UserError, match=r"damaged or cut short: .* get a whole copy, or keep what there is") as error:
        read_facts(short)
    assert "\n" not in str(error.value)


def test_a_recording_without_a_length_is_taken_as_it_is(clips: Clips, tmp_path: Path) -> None:
    live = clips.lavfi(
        "live.mkv", "testsrc2=size=64x48:rate=25:duration=4", ["-c:v", "libx264", "-g", "10", "-live", "1"]
    )
    half = tmp_path / "half.mkv"
    half.write_bytes(live.read_bytes()[: live.stat().st_size // 2])
    assert 1 < read_facts(half).duration_seconds < 3

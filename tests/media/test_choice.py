"""The video stream is the one that ffmpeg takes, or the one that a person names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Clips
from tests.media.odd import several
from vmaftune.errors import UserError
from vmaftune.media.facts import read_facts


@pytest.mark.parametrize(
    ("sizes", "flags", "taken"),
    [
        (["64x48", "96x64"], ["0", "0"], 1),  # the larger
        (["96x64", "64x48"], ["0", "default"], 1),  # the one that is flagged
        (["64x48", "64x48"], ["0", "0"], 0),  # of equal ones the first
    ],
)
def test_chosen_as_ffmpeg_does(sizes: list[str], flags: list[str], taken: int, clips: Clips) -> None:
    path = several(clips, "several.mkv", sizes, flags)
    facts = read_facts(path)
    assert facts.stream_index == taken
    assert f"#dimensions 0: {sizes[taken]}" in clips.run(["-i", str(path), "-frames:v", "1", "-f", "framecrc", "-"])
    (told,) = facts.notes
    assert f"number {taken} (h264 {sizes[taken]}) is taken; --video-stream takes another" in told


def test_thumbnails_and_covers_are_no_films(clips: Clips) -> None:
    thumbnail = read_facts(several(clips, "thumbnail.mkv", ["96x64/1", "64x48"], ["default", "0"]))
    assert thumbnail.stream_index == 1 and "0 (h264 96x64, one frame)" in thumbnail.notes[0]
    cover = read_facts(several(clips, "cover.mp4", ["96x64/1", "64x48"], ["attached_pic", "0"]))
    assert (cover.codec, cover.notes) == ("h264", ())
    pictures = read_facts(several(clips, "pictures.mkv", ["64x48/1", "96x64/1"]))
    assert pictures.stream_index == 1


def test_a_video_after_sound_is_counted_among_the_videos(clips: Clips) -> None:
    inputs = ["-f", "lavfi", "-i", "sine=duration=0.4"]
    for size in ("96x64", "64x48"):
        inputs += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=0.4"]
    path = clips.make("sound.mkv", [*inputs, "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264"])
    assert read_facts(path).stream_index == 1
    named = read_facts(path, 1)
    assert (named.stream_index, named.width, named.notes) == (2, 64, ())


def test_no_such_stream(clips: Clips) -> None:
    path = several(clips, "cover.mp4", ["96x64/1", "64x48"], ["attached_pic", "0"])
    with pytest.raises(UserError, match=r"has no --video-stream 2; there is: 0 \(h264 64x48\), 1 \(png 96x64\)"):
        read_facts(path, 2)
    with pytest.raises(UserError, match="is a cover picture"):
        read_facts(path, 1)


def test_an_unknown_codec_is_passed_over(clips: Clips, tmp_path: Path) -> None:
    plain = several(clips, "several.mp4", ["96x64", "64x48"])
    path = tmp_path / "half-known.mp4"
    path.write_bytes(plain.read_bytes().replace(b"avc1" + bytes(7), b"zzzz" + bytes(7), 1))
    facts = read_facts(path)
    assert facts.stream_index == 1 and "0 (of an unknown codec)" in facts.notes[0]

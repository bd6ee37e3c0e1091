"""Tracks that only some containers hold, and audio that an encoder does not take as it is."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.conftest import Clips
from tests.jobs.encoding import PICTURES, SOUND, encoded, kinds, payloads
from vmaftune.errors import UserError
from vmaftune.escape import file_url

_WORDS = "1\n00:00:00,100 --> 00:00:00,300\nHello\n\n2\n00:00:00,400 --> 00:00:00,500\nWorld\n"


@pytest.fixture(scope="module")
def words(clips: Clips) -> Path:
    path = clips.folder / "words.srt"
    path.write_text(_WORDS)
    return path


@pytest.fixture(scope="module")
def camera(clips: Clips, words: Path) -> Path:
    """A film with a track as GoPro's cameras have it: a track of text whose names in the file were replaced."""
    film = clips.make("text.mp4", [*PICTURES, "-i", str(words), "-c:v", "libx264", "-c:s", "mov_text"])
    made = film.with_name("camera.mp4")
    made.write_bytes(film.read_bytes().replace(b"sbtl", b"meta").replace(b"tx3g", b"gpmd"))
    return made


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_telemetry_is_kept_where_it_can_be(camera: Path, tmp_path: Path, name: str) -> None:
    assert encoded(camera, tmp_path / name) == []
    assert kinds(tmp_path / name) == ["video", "data"] and b"gpmd" in (tmp_path / name).read_bytes()
    assert payloads(tmp_path / name, 1) == payloads(camera, 1)


def test_telemetry_that_has_no_place_is_told_of_with_what_has_one(camera: Path, tmp_path: Path) -> None:
    (told,) = encoded(camera, tmp_path / "out.mkv")
    assert "data gpmd is left out: .mkv has no place for it; .mp4 and .mov hold it" in told


def test_a_track_whose_description_would_be_lost_is_left_out(camera: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(camera.read_bytes().replace(b"gpmd", b"mebx"))
    (told,) = encoded(other, tmp_path / "out.mov")
    assert "data mebx is left out: .mov has no place for it, nor has another" in told


@pytest.fixture(scope="module")
def spatial(clips: Clips) -> Path:
    """A film with a second track of Apple's spatial audio, by its name in the file."""
    codecs = ["-c:v", "libx264", "-c:a:0", "aac", "-c:a:1", "ac3"]
    film = clips.make("two.mov", [*PICTURES, *SOUND, "-map", "0", "-map", "1", "-map", "1", *codecs])
    made = film.with_name("spatial.mov")
    made.write_bytes(film.read_bytes().replace(b"ac-3", b"apac"))
    return made


def test_sound_that_matroska_does_not_hold_is_told_of_with_what_holds_it(spatial: Path, tmp_path: Path) -> None:
    (told,) = encoded(spatial, tmp_path / "out.mkv")
    assert "audio apac is left out: .mkv has no place for it; .mov holds it" in told
    assert kinds(tmp_path / "out.mkv") == ["video", "audio"]
    assert encoded(spatial, tmp_path / "out.mov") == []
    assert payloads(tmp_path / "out.mov", 2) == payloads(spatial, 2)


@pytest.mark.parametrize("name", ["out.webm", "out.mp4"])
def test_sound_that_matroska_holds_names_matroska(clips: Clips, tmp_path: Path, name: str) -> None:
    film = clips.make("tta.mkv", [*PICTURES, *SOUND, "-c:v", "libx264", "-c:a", "tta"])
    with pytest.raises(UserError, match=rf"{name[3:]} cannot hold audio \w+: name an output that ends in \.mkv"):
        encoded(film, tmp_path / name, **({"encoder": "libvpx-vp9", "preset": "8"} if name == "out.webm" else {}))


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.webm"])
@pytest.mark.parametrize("mkvmerge", [False, True])
def test_webvtt_from_matroska_is_kept(clips: Clips, words: Path, tmp_path: Path, name: str, mkvmerge: bool) -> None:
    codec, title = ("srt", ["-metadata:s:s", "title=xyz"]) if mkvmerge else ("webvtt", [])
    film = clips.make("vtt.mkv", [*PICTURES, "-i", str(words), "-c:v", "libx264", "-c:s", codec, *title])
    if mkvmerge:  # which ffmpeg reads as a track of no codec; the name of the track gives its two bytes
        old, new = b"S_TEXT/UTF8", b"S_TEXT/WEBVTT"
        whole = film.read_bytes()
        named = whole.index(b"\x53\x6e\x83xyz")
        place = whole.index(b"\x86\x8b" + old, named)
        whole = b"".join(
            [whole[:named], b"\x53\x6e\x81x", whole[named + 6 : place], b"\x86\x8d", new, whole[place + 13 :]]
        )
        film = tmp_path / "vtt.mkv"
        film.write_bytes(whole)
    webm = {"encoder": "libvpx-vp9", "preset": "8"} if name == "out.webm" else {}
    assert encoded(film, tmp_path / name, **webm) == []
    shown = clips.run(["-i", file_url(tmp_path / name), "-f", "srt", "-"])
    assert shown.split() == _WORDS.split()


@pytest.mark.parametrize("encoder", ["libopus", "libvorbis", "aac", "flac"])
@pytest.mark.parametrize(
    ("layout", "becomes"), [("5.1(side)", "5.1"), ("quad(side)", "quad"), ("2.1", "5.1"), ("5.1.4", "5.1")]
)
def test_audio_of_any_layout_is_encoded(clips: Clips, tmp_path: Path, encoder: str, layout: str, becomes: str) -> None:
    sound = ["-f", "lavfi", "-i", f"sine=440:duration=0.3:sample_rate=48000,aformat=channel_layouts={layout}"]
    # The layout stands in .mov; Matroska has the number of channels alone.
    film = clips.make("loud.mov", [*PICTURES, *sound, "-c:v", "libx264", "-c:a", "pcm_s16le"])
    with av.open(str(film)) as opened:
        assert opened.streams.audio[0].codec_context.layout.name == layout
    told = encoded(film, tmp_path / "out.mkv", acodec=encoder)
    with av.open(str(tmp_path / "out.mkv")) as made:
        found = made.streams.audio[0].codec_context.layout
    if encoder in ("libopus", "libvorbis") or layout == "5.1.4":
        assert found.name == becomes
    assert ["mixed down from 5.1.4 to 5.1" in line for line in told] == [True] * (layout == "5.1.4")


def test_channels_that_an_encoder_cannot_hold_are_told_of(clips: Clips, tmp_path: Path) -> None:
    sound = ["-f", "lavfi", "-i", "sine=440:duration=0.3:sample_rate=48000,aformat=channel_layouts=5.1"]
    film = clips.make("six.mkv", [*PICTURES, *sound, "-c:v", "libx264", "-c:a", "flac"])
    (told,) = encoded(film, tmp_path / "out.mkv", acodec="libmp3lame")
    assert "mixed down from 5.1 to stereo" in told

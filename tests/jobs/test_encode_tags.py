"""Tags of the file in an encode: when a film was made and where, in every container, beside those that players look for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest

from tests.conftest import Clips
from tests.jobs.encoding import PICTURES, SOUND, encoded, payloads, tags
from vmaftune.escape import file_url

_WHEN = "2020-01-02T03:04:05"
_APPLE = {
    "com.apple.quicktime.location.ISO6709": "+48.1372+011.5756+519/",
    "com.apple.quicktime.creationdate": "2020-01-02T04:04:05+0100",
    "com.apple.quicktime.make": "Apple",
}


def _tagged(clips: Clips, name: str, **given: str) -> Path:
    said = [part for key, value in given.items() for part in ("-metadata", f"{key}={value}")]
    return clips.make(name, [*PICTURES, *SOUND, "-c:v", "libx264", "-c:a", "aac", *said])


@pytest.mark.parametrize("source", ["made.mp4", "made.mkv"])
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov", "out.m4v", "out.webm"])
def test_when_it_was_made_is_kept(clips: Clips, tmp_path: Path, source: str, name: str) -> None:
    film = _tagged(clips, source, creation_time=f"{_WHEN}Z")
    webm = {"encoder": "libvpx-vp9", "preset": "8", "acodec": "libopus"} if name == "out.webm" else {}
    assert encoded(film, tmp_path / name, **webm) == []
    assert tags(tmp_path / name)["creation_time"].startswith(_WHEN)


@pytest.fixture(scope="module")
def telephone(clips: Clips) -> Path:
    """A film with the tags of a telephone's camera, and two that any player shows."""
    film = _tagged(clips, "telephone.mov", title="Munich", artist="Someone", creation_time=f"{_WHEN}Z", **_APPLE)
    said = [part for key, value in tags(film).items() for part in ("-metadata", f"{key}={value}")]
    assert not set(_APPLE) & set(tags(film)) and said, "ffmpeg itself drops them without an option of .mov"
    more = ["-movflags", "use_metadata_tags", *(p for k, v in _APPLE.items() for p in ("-metadata", f"{k}={v}"))]
    return clips.make("telephone2.mov", ["-i", file_url(film), "-c", "copy", *more])


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_where_it_was_made_is_kept_beside_the_ordinary_tags(
    telephone: Path, clips: Clips, tmp_path: Path, name: str
) -> None:
    output = tmp_path / name
    assert encoded(telephone, output) == []
    wanted = {key.lower(): value for key, value in _APPLE.items()} | {"title": "Munich", "artist": "Someone"}
    assert wanted.items() <= tags(output).items()
    if name != "out.mkv":
        assert b"\xa9nam" in output.read_bytes(), "the title stands where players look for it"
        shown = subprocess.run([clips.ffmpeg.path, "-i", output], capture_output=True, text=True, check=False).stderr
        assert _APPLE["com.apple.quicktime.location.ISO6709"] in shown and shown.count("Munich") == 1
        assert payloads(output, 1) == payloads(telephone, 1), "the places of the sound in the file are still right"


def test_tags_that_cannot_be_added_are_told_of_before_the_file_has_its_name(telephone: Path, tmp_path: Path) -> None:
    """With +faststart the tags stand before pictures and sound, whose places would move."""
    (told,) = encoded(telephone, tmp_path / "out.mp4", enc=["movflags=+faststart"])
    assert ".mp4 has no place for: tag com.apple.quicktime.creationdate" in told and ".mkv keeps more" in told
    assert tags(tmp_path / "out.mp4")["title"] == "Munich"


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_titles_of_tracks_are_kept_from_mp4(clips: Clips, tmp_path: Path, name: str) -> None:
    titles = ["-metadata:s:v", "title=Pictures", "-metadata:s:a", "title=Sound"]
    film = clips.make("titles.mp4", [*PICTURES, *SOUND, "-c:v", "libx264", "-c:a", "aac", *titles])
    assert encoded(film, tmp_path / name) == []
    with av.open(str(tmp_path / name)) as made:
        found = [stream.metadata.get("title", stream.metadata.get("name")) for stream in made.streams]
    assert found == ["Pictures", "Sound"]


def test_tags_of_streams_and_dispositions_that_are_lost_are_told_of(clips: Clips, tmp_path: Path) -> None:
    more = ["-metadata:s:a:0", "mood=calm", "-metadata:s:a:0", "language=eng", "-disposition:a:0", "clean_effects"]
    film = clips.make("mood.mkv", [*PICTURES, *SOUND, "-c:v", "libx264", "-c:a", "aac", *more])
    assert encoded(film, tmp_path / "out.mkv") == []
    (told,) = encoded(film, tmp_path / "out.mp4")
    assert "tag mood of stream 1 (audio)" in told and "language" not in told

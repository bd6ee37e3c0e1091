"""The geometry of raw video: told, named, or guessed where only one fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.errors import UserError
from vmaftune.media.raw import Geometry, parse_size
from vmaftune.tiny.corpus.guess import SIZES, Told, guess_distorted, guess_references

HD = Geometry(1920, 1080)
NOTHING = Told()


def guess_reference(path: Path, file_bytes: int, told: Told, heights: tuple[int, ...]) -> Geometry:
    """Guess the geometry of one file alone."""
    return guess_references({path: file_bytes}, told, {path: heights})[path]


def test_a_frame_has_the_bytes_that_ffmpeg_writes() -> None:
    assert HD.frame_bytes == 1920 * 1080 * 3 // 2
    assert Geometry(1920, 1080, "yuv420p10le").frame_bytes == 1920 * 1080 * 3
    assert Geometry(5, 3, "yuv420p").frame_bytes == 15 + 2 * 6
    with pytest.raises(UserError, match="yuv42: no such pixel format"):
        _ = Geometry(16, 16, "yuv42").frame_bytes


def test_the_one_size_that_fits_is_taken() -> None:
    assert guess_reference(Path("Tennis_24fps.yuv"), 150 * HD.frame_bytes, NOTHING, (288, 1080)) == HD


def test_netflix_corpus_is_guessed_as_a_whole() -> None:
    """120 frames of 1080p are 30 of 2160p, but the other file is none of 2160p."""
    tennis, bunny = Path("Tennis_24fps.yuv"), Path("BigBuckBunny_25fps.yuv")
    files = {tennis: 120 * HD.frame_bytes, bunny: 150 * HD.frame_bytes}
    assert guess_references(files, NOTHING, {tennis: (288, 1080), bunny: (1080,)}) == {tennis: HD, bunny: HD}
    with pytest.raises(UserError, match=r"Tennis_24fps\.yuv may be of 1920x1080, 3840x2160; say which"):
        guess_reference(tennis, files[tennis], NOTHING, (1080,))


def test_what_may_be_several_is_not_guessed() -> None:
    with pytest.raises(UserError, match=r"may be of .* or others; say which with --size"):
        guess_reference(Path("a.yuv"), 240 * HD.frame_bytes, NOTHING, (288,))


def test_what_fits_nothing_may_be_cut_short() -> None:
    with pytest.raises(UserError, match="no whole number of yuv420p pictures of any known size"):
        guess_reference(Path("a.yuv"), 150 * HD.frame_bytes - 7, NOTHING, (288,))


@pytest.mark.parametrize(
    ("name", "told", "geometry"),
    [
        ("src01_hrc00_576x324.yuv420p10le.yuv", NOTHING, Geometry(576, 324, "yuv420p10le")),
        ("a_640x360_25fps.yuv", NOTHING, Geometry(640, 360)),
        ("a_640x360.yuv", Told(size=(320, 180)), Geometry(320, 180)),
        ("a.yuv", Told(size=(33, 35), pix_fmt="yuv422p"), Geometry(33, 35, "yuv422p")),
    ],
)
def test_names_say_it_and_the_user_says_it_louder(name: str, told: Told, geometry: Geometry) -> None:
    assert guess_reference(Path(name), 7 * geometry.frame_bytes, told, ()) == geometry


@pytest.mark.parametrize(
    ("height", "geometry"), [(288, HD), (288, Geometry(512, 288)), (480, Geometry(854, 480)), (480, Geometry(852, 480))]
)
def test_a_distorted_file_has_as_many_frames_as_its_reference(height: int, geometry: Geometry) -> None:
    path = Path(f"Tennis_20_{height}_375.yuv")
    assert guess_distorted(path, 150 * geometry.frame_bytes, NOTHING, height, HD, 150) == geometry
    with pytest.raises(UserError, match="149 frames of 1920x1080 yuv420p, but its reference has 150"):
        guess_distorted(path, 149 * HD.frame_bytes, NOTHING, height, HD, 150)
    with pytest.raises(UserError, match="no whole number of frames of 1920x1080 yuv420p, but its reference has 150"):
        guess_distorted(path, 150 * geometry.frame_bytes - 1, NOTHING, height, HD, 150)


def test_sizes_are_known_once() -> None:
    assert len(set(SIZES)) == len(SIZES)


@pytest.mark.parametrize("text", ["1920", "1920x", "0x5", "ax5", "-5x5", "1920x1080x3"])
def test_a_wrong_size_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match=r"--size .* must be WIDTHxHEIGHT"):
        parse_size(text)

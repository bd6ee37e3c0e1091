"""What the check of a finished encode finds, and that nothing is published before all of it was done."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import CONSTANT_QP, Clips
from tests.jobs.encoding import PICTURES, SOUND, encoded
from vmaftune.encoders.spec import EncoderSettings
from vmaftune.errors import VmafTuneError
from vmaftune.escape import file_url
from vmaftune.jobs import encode, encode_place
from vmaftune.jobs.encode_check import Pair, check_frames
from vmaftune.jobs.encode_streams import Mapped
from vmaftune.media.side_data import side_data_names


@pytest.fixture(scope="module")
def film(clips: Clips) -> Path:
    return clips.make("film.mkv", [*PICTURES, *SOUND, "-c:v", "libx264", "-c:a", "aac"])


def _check(clips: Clips, tmp_path: Path, film: Path, made: Path, *, copied: bool) -> int:
    settings = EncoderSettings(spec=CONSTANT_QP, preset=None, pix_fmt="yuv420p", video_filter="null")
    streams = (Mapped(0, "video", False), Mapped(1, "audio", copied))
    pair = Pair(source=film, stream_index=0, encode=made, settings=settings, streams=streams)
    return check_frames(clips.ffmpeg, pair, tmp_path, lambda done: None)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize(
    ("name", "late"), [("made.mkv", "0.1"), ("made.mkv", "-0.1"), ("made.mp4", "0.1"), ("made.ts", "-0.1")]
)
def test_sound_that_is_off_from_the_pictures_is_found(
    clips: Clips, film: Path, tmp_path: Path, copied: bool, late: str, name: str
) -> None:
    mapped = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "copy" if copied else "ac3"]
    for offset, right in (("0", True), (late, False)):
        made = clips.make(name, ["-i", file_url(film), "-itsoffset", offset, "-i", file_url(film), *mapped])
        if right:
            assert _check(clips, tmp_path, film, made, copied=copied) == 15
        else:
            with pytest.raises(
                VmafTuneError, match=rf"audio \(stream 1\) begins \{'+' if late == '0.1' else '-'}0\.\d+ s"
            ):
                _check(clips, tmp_path, film, made, copied=copied)


@pytest.mark.parametrize("where", ["lost", "check_frames"])
def test_nothing_has_its_name_before_all_was_looked_at(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fails(*given: Any) -> None:
        raise VmafTuneError("no")

    monkeypatch.setattr(encode, where, fails)
    with pytest.raises(VmafTuneError, match=r"^no$"):
        encoded(film, tmp_path / "out.mkv")
    assert not (tmp_path / "out.mkv").exists()


def test_what_fails_after_that_says_that_there_is_an_encode(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: Any, **more: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(encode, "score_whole", fails)
    with pytest.raises(VmafTuneError, match=r"out\.mkv is whole, but after that: no room"):
        encoded(film, tmp_path / "out.mkv", final_score=True)
    assert (tmp_path / "out.mkv").stat().st_size > 1000


def test_a_folder_that_cannot_be_synced_takes_no_encode_back(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(encode_place.atomic, "sync_folder", fails)
    assert encoded(film, tmp_path / "out.mkv") == []
    assert (tmp_path / "out.mkv").stat().st_size > 1000


class _Known(IntEnum):
    MASTERING_DISPLAY_METADATA = 11
    A53_CC = 1


class _Unknown:
    @property
    def type(self) -> None:
        raise ValueError("29 is not a valid Type")


class _Refusing:
    @property
    def side_data(self) -> None:
        raise ValueError("29 is not a valid Type")


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ([_Known.A53_CC, 29, None], {"A53_CC"}),
        (["mastering_display_metadata"], {"MASTERING_DISPLAY_METADATA"}),
        ([_Known.MASTERING_DISPLAY_METADATA], {"MASTERING_DISPLAY_METADATA"}),
    ],
)
def test_side_data_of_any_type_is_read(items: list[Any], names: set[str]) -> None:
    frame = SimpleNamespace(side_data=[*(SimpleNamespace(type=item) for item in items), _Unknown(), object()])
    assert side_data_names(frame) == names


def test_side_data_that_cannot_be_read_is_none() -> None:
    assert side_data_names(_Refusing()) == frozenset()

"""HEVC in .mp4 and .mov is named ``hvc1``, the one name that Apple's players take, unless the user names it otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clips
from tests.encoders.test_command_lines import settings
from vmaftune.encoding.arguments import StreamArguments, full_arguments
from vmaftune.jobs.encode import run_encode
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.session import Session


def _tag(clips: Clips, output: Path, **options: Any) -> str:
    """The name of the codec in the headers of an encode, as it stands in the file."""
    film = clips.lavfi("film.mkv", "testsrc2=size=64x64:rate=10:duration=1.2")
    wanted = {"encoder": "libx265", "preset": "ultrafast", "cache": False, **options}
    run_encode(Session(wanted, print), film, output, JobObserver())
    content = output.read_bytes()
    return next(name for name in ("hvc1", "hev1", "avc1") if name.encode() in content)


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.m4v"])
def test_apples_name_is_the_default(name: str, tmp_path: Path, clips: Clips) -> None:
    assert _tag(clips, tmp_path / name, crf=30.0) == "hvc1"


@pytest.mark.parametrize("option", ["tag=hev1", "tag:v=hev1", "tag:v:0=hev1", "vtag=hev1"])
def test_the_users_own_goes_first(option: str, tmp_path: Path, clips: Clips) -> None:
    assert _tag(clips, tmp_path / "out.mp4", crf=30.0, enc=[option]) == "hev1"


@pytest.mark.parametrize(("enc", "tag"), [([], "hvc1"), (["tag:v=hev1"], "hev1")])
def test_shots_that_are_joined_have_it_too(enc: list[str], tag: str, tmp_path: Path, clips: Clips) -> None:
    options = {"per_shot": True, "min_vmaf": 80.0, "vmaf_scale": "none", "enc": enc}
    assert _tag(clips, tmp_path / "out.mp4", **options) == tag


def test_other_codecs_keep_their_own(tmp_path: Path, clips: Clips) -> None:
    assert _tag(clips, tmp_path / "out.mp4", encoder="libx264", crf=30.0) == "avc1"


@pytest.mark.parametrize("name", ["libx265", "hevc_nvenc", "hevc_qsv", "hevc_vaapi", "hevc_amf", "hevc_videotoolbox"])
def test_every_encoder_of_hevc(name: str) -> None:
    def made(container: str) -> list[str]:
        return full_arguments(
            Path("a.mkv"), (64, 64), settings(name), 30, StreamArguments(selected=("0",)), container, Path("b")
        )

    assert "hvc1" in made("mp4") and "hvc1" in made("mov") and "hvc1" not in made("matroska")

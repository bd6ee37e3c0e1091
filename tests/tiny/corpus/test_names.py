"""Names of the Netflix layout, and which reference a distorted file belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.errors import UserError
from vmaftune.tiny.corpus.names import DistortedName, find_reference, parse_distorted, reference_name


@pytest.mark.parametrize(
    ("file", "clip", "label", "height", "kbps"),
    [
        ("BigBuckBunny_20_288_375.yuv", "BigBuckBunny", "20", 288, 375),
        ("Old_Town_Cross_85_1080_3800.5.mkv", "Old_Town_Cross", "85", 1080, 3800.5),
        ("a__b__c_libx264-23.4_432_1.mkv", "a__b__c", "libx264-23.4", 432, 1),
    ],
)
def test_names_are_read_and_written(file: str, clip: str, label: str, height: int, kbps: float) -> None:
    name = parse_distorted(Path(file))
    assert name == DistortedName(clip=clip, label=label, height=height, kbps=kbps)
    assert str(name) == Path(file).stem


@pytest.mark.parametrize(
    "file", ["Bunny.yuv", "Bunny_20_288.yuv", "Bunny_20_288_fast.yuv", "_20_288_375.yuv", "a__288_375.yuv"]
)
def test_wrong_names_are_one_line(file: str) -> None:
    with pytest.raises(UserError, match="is not named SOURCE_LABEL_HEIGHT_KBPS") as raised:
        parse_distorted(Path(file))
    assert "\n" not in str(raised.value)


def _found(distorted: str, *references: str) -> str:
    path = Path(distorted)
    return find_reference(parse_distorted(path), path, [Path(name) for name in references]).name


def test_a_reference_is_named_as_its_clip() -> None:
    netflix = ("OldTownCross_25fps.yuv", "Tennis_24fps.yuv")
    assert _found("Tennis_20_288_375.yuv", *netflix) == "Tennis_24fps.yuv"
    assert _found("Tennis_20_288_375.yuv", "Tennis.mkv", "TennisCourt_24fps.yuv") == "Tennis.mkv"
    assert _found("Tennis_20_288_375.yuv", "Tennis_1920x1080.yuv") == "Tennis_1920x1080.yuv"
    assert _found("Old_20_288_375.yuv", "Old_25fps.yuv", "Old_Town_25fps.yuv") == "Old_25fps.yuv"
    assert _found("Old_20_288_375.yuv", f"{reference_name('Old', 29.97003)}.mkv") == "Old_29.97fps.mkv"


def test_an_orphan_and_a_choice_are_one_line() -> None:
    with pytest.raises(UserError, match=r"Tennis_20_288_375\.yuv has no reference"):
        _found("Tennis_20_288_375.yuv", "TennisCourt_24fps.yuv")
    with pytest.raises(UserError, match=r"may be of ref/Tennis_24fps\.yuv and ref/Tennis_60fps\.yuv"):
        _found("Tennis_20_288_375.yuv", "Tennis_24fps.yuv", "Tennis_60fps.yuv")

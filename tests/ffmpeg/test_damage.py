"""Errors of decoders are found among all that ffmpeg says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import WHOLE, Clips
from tests.media.odd import damaged
from vmaftune.features.measure import measure
from vmaftune.features.pilot import X264
from vmaftune.ffmpeg.damage import damage_of
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import cut


def test_damage_in_the_middle_is_kept_with_what_was_measured(clips: Clips, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    path = damaged(clips, tmp_path)
    facts = read_facts(path)
    measured = measure(ffmpeg, facts, cut(path, facts, WHOLE, tmp_path), tmp_path, path, plan=X264)
    assert measured.damage.startswith("h264: ")
    sound = clips.lavfi("sound.mkv", "testsrc2=size=160x90:rate=25:duration=0.4")
    facts = read_facts(sound)
    assert measure(ffmpeg, facts, cut(sound, facts, WHOLE, tmp_path), tmp_path, sound, plan=X264).damage == ""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("[h264 @ 0x55] [error] error while decoding MB 5 0", "h264: error while decoding MB 5 0"),
        ("[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [error] Error submitting packet", "decoder: Error submitting packet"),
        ("[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [warning] corrupt decoded frame", ""),
        ("[matroska @ 0x1] [error] an odd tag", ""),
        ("[libx264 @ 0x1] [warning] VBV underflow", ""),
        ("[error] something of the program's own", ""),
    ],
)
def test_only_errors_of_decoders_count(line: str, found: str) -> None:
    assert damage_of([line]) == found


def test_joining_in_the_midst_is_no_damage() -> None:
    line = "[h264 @ 0x1] [error] mmco: unref short failure"
    assert damage_of([line]) and not damage_of([line], joined=True)

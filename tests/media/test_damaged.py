"""A file that ends too soon is said to be damaged, in one line, and never scored as if it were whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import WHOLE, Clips
from vmaftune.errors import UserError
from vmaftune.media.facts import read_facts
from vmaftune.media.samples import cut


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_cut_short(suffix: str, clips: Clips, tmp_path: Path) -> None:
    arguments = ["-c:v", "libx264", "-preset", "superfast", "-movflags", "+faststart"]
    whole = clips.lavfi(f"whole.{suffix}", "testsrc2=size=128x72:rate=25:duration=6", arguments)
    short = tmp_path / whole.name
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UserError, match=r"damaged or cut short|cannot be read"):
        cut(short, read_facts(short), WHOLE, tmp_path)


def test_no_video(clips: Clips, tmp_path: Path) -> None:
    sound = clips.lavfi("sound.mka", "sine=duration=0.2", ["-c:a", "pcm_s16le"])
    with pytest.raises(UserError, match="has no video in it"):
        read_facts(sound)
    text = tmp_path / "text.mkv"
    text.write_text("not a film")
    with pytest.raises(UserError, match="cannot be read as a video"):
        read_facts(text)
    (tmp_path / "empty.mkv").touch()
    with pytest.raises(UserError, match="is empty"):
        read_facts(tmp_path / "empty.mkv")
    with pytest.raises(UserError, match="is a directory"):
        read_facts(tmp_path)
    with pytest.raises(UserError, match="cannot open"):
        read_facts(tmp_path / "none.mkv")


def test_a_name_with_a_line_break_stays_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read_facts(tmp_path / "a\nb.mkv")
    assert "\n" not in str(error.value)

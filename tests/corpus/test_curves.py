"""What ``--curve`` asks for."""

from __future__ import annotations

import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from vmaftune.corpus.curves import parse_curves
from vmaftune.crf_search.grid import crf_grid
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg

ENCODERS = {spec.name: spec for spec in vmaftune_encoders()}


def test_encoder_preset_and_crfs(ffmpeg: Ffmpeg) -> None:
    first, second, third = parse_curves(["libx264:slow=30,17.5,30", "libsvtav1", "libx264"], ENCODERS, ffmpeg)
    assert (first.spec.name, first.preset, first.crfs) == ("libx264", "slow", (30.0, 17.5))
    assert (second.preset, third.preset) == ("8", "medium")


@pytest.mark.parametrize("name", [spec.name for spec in vmaftune_encoders() if not spec.hardware])
def test_crfs_are_spread_over_the_search_range(name: str, ffmpeg: Ffmpeg) -> None:
    (curve,) = parse_curves([name], ENCODERS, ffmpeg)
    grid = crf_grid(ENCODERS[name], None, None, None)
    assert len(curve.crfs) == 8 and set(curve.crfs) <= set(grid.tolist())
    assert (curve.crfs[0], curve.crfs[-1]) == (grid[0], grid[-1])
    steps = [after - before for before, after in zip(curve.crfs, curve.crfs[1:], strict=False)]
    assert max(steps) - min(steps) <= 2 * ENCODERS[name].step


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x264", "x264: no such encoder; there is: "),
        ("", ": no such encoder"),
        ("h264_videotoolbox", "was built without h264_videotoolbox"),
        ("libx264:fastest", "preset fastest: libx264 has no such preset; it has ultrafast, "),
        ("libx264:", "preset : libx264 has no such preset"),
        ("h264_vaapi:fast", "h264_vaapi has no presets"),
        ("libx264=20,x", "CRFs must be numbers separated by commas"),
        ("libx264=", "CRFs must be numbers separated by commas"),
        ("libx264=nan", "libx264 takes CRF 0 to 51"),
        ("libx264:medium=20,99", "libx264 takes CRF 0 to 51"),
        ("libsvtav1=30.1", "CRFs of libsvtav1 are 0.25 apart, 30.1 lies between"),
    ],
)
def test_a_wrong_curve_is_one_line(text: str, said: str, ffmpeg: Ffmpeg) -> None:
    with pytest.raises(UserError) as caught:
        parse_curves(["libx264", text], ENCODERS, ffmpeg)
    assert said in str(caught.value) and "\n" not in str(caught.value)

"""Which distortions a made corpus has."""

from __future__ import annotations

from fractions import Fraction

import pytest
from vmaftune_plugins.encoders import vmaftune_encoders

from vmaftune.errors import UserError
from vmaftune.tiny.corpus.recipe import distortions, parse_heights

SPECS = {spec.name: spec for spec in vmaftune_encoders()}
ENCODERS = [(SPECS[name], None) for name in ("libx264", "libx265", "libsvtav1")]
HEIGHTS = (None, Fraction(1, 2), Fraction(1, 3))


def test_a_clip_always_has_the_same_distortions_and_another_clip_others() -> None:
    first = list(distortions("a", (960, 540), ENCODERS, HEIGHTS, 3))
    assert first == list(distortions("a", (960, 540), ENCODERS, HEIGHTS, 3)) and len(first) == 15
    assert [each.crf for each in first] != [each.crf for each in distortions("b", (960, 540), ENCODERS, HEIGHTS, 3)]
    assert {each.size for each in first} == {(960, 540), (480, 270), (320, 180)}
    assert len({(each.label, each.size) for each in first}) == 15 and not any("_" in each.label for each in first)


@pytest.mark.parametrize("name", SPECS)
def test_crfs_cover_what_the_encoder_takes(name: str) -> None:
    spec = SPECS[name]
    crfs = [
        each.crf for clip in map(str, range(40)) for each in distortions(clip, (64, 64), [(spec, None)], (None,), 3)
    ]
    low, high = spec.quality_range
    assert all(low <= crf <= high for crf in crfs)
    best, worst = (max, min) if spec.higher_is_better else (min, max)
    assert abs(worst(crfs) - (low if spec.higher_is_better else high)) <= 0.05 * (high - low)
    searched = spec.search_range[1] if spec.higher_is_better else spec.search_range[0]
    assert (best(crfs) > searched) if spec.higher_is_better else (best(crfs) < searched)
    for first in range(0, len(crfs), 3):  # a clip's three go from fine to coarse
        assert crfs[first : first + 3] == sorted(crfs[first : first + 3], reverse=spec.higher_is_better)


def test_heights_that_are_not_below_the_reference_are_left_out() -> None:
    made = list(distortions("a", (320, 180), ENCODERS[:1], parse_heights(("native", "360", "90", "1/20")), 1))
    assert [each.size for each in made] == [(320, 180), (160, 90)]


@pytest.mark.parametrize("text", ["tall", "0", "3/2", "1/0", "-1/2", "12.5", ""])
def test_a_wrong_height_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match=r"--heights: .* is neither native"):
        parse_heights(("native", text))

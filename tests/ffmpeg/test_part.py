"""A part of the frames is encoded as the whole is, and each of its frames scores exactly as in the whole.

Everything that libvmaf measures of a frame is of that frame alone but for motion, which is of the reference beside it: of the
frame, the one before and the one after; of four before and one after with v1's models for high frame rates. Those are read too,
so the score is the same bit for bit, also where pictures are repeated and a neighbour that was left out would show.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import FRAMES, Clips, Moving, Scorer
from vmaftune.crf_search.part import Part, plan_part
from vmaftune.errors import PairingError
from vmaftune.quality.compare import Selection
from vmaftune.quality.vmaf import MODELS

LONG = 120


@pytest.fixture
def repeating(clips: Clips) -> Path:
    """Pictures that are shown two or three times each, as animation and converted film have them."""
    return clips.lavfi("repeating.mkv", f"testsrc2=size=160x90:rate=10:duration={LONG / 25},fps=25")


@pytest.mark.parametrize("one_process", [True, False], ids=["one process", "two processes"])
@pytest.mark.parametrize("scale", ["none", "320x180"])
def test_each_frame_scores_as_in_the_whole(one_process: bool, scale: str, repeating: Path, score: Scorer) -> None:
    part = plan_part([LONG])
    assert part is not None
    whole = score(repeating, one_process=one_process, scale=scale)
    some = score(repeating, one_process=one_process, scale=scale, selection=part.selection(LONG))
    assert len(whole.frame_scores) == LONG and len(some.frame_scores) == 18
    assert len(np.unique(whole.frame_scores.round(3))) > 20, "the frames can be told apart by their scores"
    assert np.array_equal(some.frame_scores, whole.frame_scores[part.indices(LONG)])
    assert some.encoded_bytes == whole.encoded_bytes, "all frames were encoded"


V1, HFR = "vmaf_v1.0.16_3d0h", "vmaf_v1.0.16_hfr_3d0h"


@pytest.mark.parametrize("model", [V1, HFR, "vmaf_v1.0.16_hfr_5d0h"])
def test_each_frame_scores_as_in_the_whole_by_models_of_v1(model: str, repeating: Path, score: Scorer) -> None:
    beside = MODELS[model].neighbours
    part = plan_part([LONG], beside)
    assert part is not None and (part.before, part.after) == ((4, 1) if "hfr" in model else (1, 1))
    whole = score(repeating, scale="480x270", model=model)
    some = score(repeating, scale="480x270", model=model, selection=part.selection(LONG))
    assert len(np.unique(whole.frame_scores.round(3))) > 20, "the frames can be told apart by their scores"
    assert np.array_equal(some.frame_scores, whole.frame_scores[part.indices(LONG)])


def test_by_a_model_for_high_frame_rates_fewer_neighbours_are_not_enough(repeating: Path, score: Scorer) -> None:
    whole = score(repeating, scale="480x270", model=HFR)
    for before, after in ((3, 1), (4, 0)):
        part = Part(period=11, offset=5, before=before, after=after)
        some = score(repeating, scale="480x270", model=HFR, selection=part.selection(LONG))
        assert not np.array_equal(some.frame_scores, whole.frame_scores[part.indices(LONG)])


@pytest.mark.parametrize(("period", "offset"), [(3, 3), (4, 3), (7, 3), (7, 6), (11, 5), (37, 3), (50, 3)])
def test_any_period(period: int, offset: int, moving: Moving, score: Scorer) -> None:
    part = Part(period=period, offset=offset)
    whole, some = score(moving.plain), score(moving.plain, selection=part.selection(FRAMES))
    assert np.array_equal(some.frame_scores, whole.frame_scores[part.indices(FRAMES)])


@pytest.mark.parametrize("one_process", [True, False])
@pytest.mark.parametrize("off", [-1, 1])
def test_a_frame_too_many_or_too_few_is_no_score(one_process: bool, off: int, moving: Moving, score: Scorer) -> None:
    right = Part(period=7, offset=3).selection(FRAMES)
    wrong = Selection(expression=right.expression, frames=right.frames + off, every=right.every)
    with pytest.raises(PairingError, match=f"a part: {right.frames} frames were scored but .* has {wrong.frames}"):
        score(moving.plain, one_process=one_process, selection=wrong)
    with pytest.raises(PairingError, match=f"{FRAMES} frames were scored but the source has {FRAMES + off}"):
        score(moving.plain, one_process=one_process, selection=right, expected_frames=FRAMES + off)

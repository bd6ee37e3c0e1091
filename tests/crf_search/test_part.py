"""Which frames a part is of, and what its scores say of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmaftune.crf_search.part import Part, deviation, estimate, plan_part
from vmaftune.quality.pooling import pooled

_FUNCTIONS = {"lt": lambda a, b: a < b, "between": lambda x, a, b: a <= x <= b, "mod": lambda a, b: a % b}


@given(st.integers(3, 60), st.integers(3, 80), st.integers(1, 400))
@settings(deadline=None)
def test_each_frame_is_read_with_its_neighbours_and_is_the_first_of_three(
    period: int, offset: int, frames: int
) -> None:
    part = Part(period=period, offset=offset)
    indices, selection = part.indices(frames), part.selection(frames)
    read = [n for n in range(max(frames, 2)) if eval(selection.expression, {}, {**_FUNCTIONS, "n": n})]
    assert (len(read), selection.scored) == (selection.frames, len(indices))
    assert read[:: selection.every] == indices.tolist()
    assert all({n - 1, n, n + 1} <= set(read) for n in indices[1:])
    assert len(indices) == 1 + part.scored(frames)
    if frames > 1:
        assert max(read) < frames


@settings(deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_a_part_is_planned_out_of_step_and_of_few_frames(frames: list[int]) -> None:
    part = plan_part(frames)
    if part is None:
        assert sum(frames) < 80 or min(frames) < 20
        return
    scored = [part.scored(count) for count in frames]
    assert math.gcd(part.period, 30) == 1 and part.period >= 7
    assert sum(scored) >= 8 and min(scored) >= 2
    assert sum(scored) <= 100 or min(scored) <= 5, (
        "sparser would leave a sample without a difference between two frames"
    )
    assert 0 < part.cost(frames) < 0.35


@pytest.mark.parametrize(
    ("frames", "period"),
    [([53], None), ([54], 7), ([150], 7), ([480], 7), ([720], 11), ([480] * 4, 19), ([480] * 100, 319), ([9000], 91)],
)
def test_the_more_frames_the_sparser(frames: list[int], period: int | None) -> None:
    part = plan_part(frames)
    assert (part and part.period) == period


@pytest.mark.parametrize("frames", [[12], [30], [480, 5], [1]])
def test_a_short_source_has_none(frames: list[int]) -> None:
    assert plan_part(frames) is None


@pytest.mark.parametrize("pool", ["mean", "harmonic_mean"])
def test_the_estimate_is_the_pool_where_all_but_the_first_frame_are_alike(pool: str) -> None:
    frames, part = [100, 200], Part(period=7, offset=3)
    whole = [np.full(count, level) for count, level in zip(frames, (80.0, 95.0), strict=True)]
    whole[0][0], whole[1][0] = 50.0, 60.0
    scores = [of_sample[part.indices(count)] for of_sample, count in zip(whole, frames, strict=True)]
    assert math.isclose(estimate(scores, frames, pool), pooled(np.concatenate(whole), pool), abs_tol=1e-9)


@pytest.mark.parametrize("pool", ["mean", "harmonic_mean"])
def test_a_rhythm_of_4_8_or_16_frames_is_met_evenly(pool: str) -> None:
    part = plan_part([480])
    assert part is not None
    for rhythm in (4, 8, 16):
        whole = 90.0 + 5.0 * (np.arange(480) % rhythm == 0) - 3.0 * (np.arange(480) % 2)
        assert abs(estimate([whole[part.indices(480)]], [480], pool) - pooled(whole, pool)) < 0.25


@pytest.mark.parametrize("pool", ["mean", "harmonic_mean"])
def test_the_deviation_covers_the_errors_of_uneven_scores(pool: str) -> None:
    """Scores without any rhythm, which is the worst case, and a trend, which is none."""
    part, random = plan_part([480]), np.random.default_rng(1)
    assert part is not None
    errors, said = [], []
    for _ in range(200):
        whole = 90.0 + 4.0 * random.standard_normal(480) - np.linspace(0, 20, 480)
        scores = [whole[part.indices(480)]]
        errors.append(estimate(scores, [480], pool) - pooled(whole, pool))
        said.append(deviation(scores, pool))
    assert 0.4 < np.mean(said) / np.std(errors) < 2.0
    assert abs(np.mean(errors)) < 0.2


def test_even_scores_deviate_by_the_least_and_samples_are_put_together() -> None:
    flat = [np.full(20, 95.0)]
    assert deviation(flat, "mean") == deviation(flat, "harmonic_mean") == pytest.approx(0.08)
    uneven = np.array([90.0, *(90.0 + 5.0 * (-1) ** n for n in range(20))])
    assert deviation([uneven] * 4, "mean") == pytest.approx(deviation([uneven], "mean") / 2)

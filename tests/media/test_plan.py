"""Samples are placed by ab-av1's rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmaftune.media.samples import SampleRule, plan


@pytest.mark.parametrize(
    ("duration_seconds", "starts"),
    [
        (20.0, None),
        (23.5, None),  # 20 s are more than 85 % of it
        (24.0, [2.0]),
        (719.0, [349.5]),
        (720.0, [350.0]),
        (721.0, [227.0, 474.0]),  # the second twelve minutes have begun
        (7200.0, [636.3636, 1292.7273]),
    ],
)
def test_ab_av1s_places(duration_seconds: float, starts: list[float] | None) -> None:
    planned = plan(duration_seconds, SampleRule())
    if starts is None or planned is None:
        assert planned == starts
    else:
        assert planned[: len(starts)] == pytest.approx(starts, abs=1e-3)
        assert len(planned) == (10 if duration_seconds == 7200.0 else len(starts))


def test_the_whole_source_from_85_percent_on() -> None:
    rule = SampleRule(samples=1, duration_seconds=20.0)
    assert plan(20.0 / 0.85 - 1e-6, rule) is None
    assert plan(20.0 / 0.85 + 1e-6, rule) is not None


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        (SampleRule(samples=3), 3),
        (SampleRule(min_samples=4), 4),
        (SampleRule(samples=2, min_samples=4), 4),
        (SampleRule(every_seconds=100.0), 10),
    ],
)
def test_how_many(rule: SampleRule, count: int) -> None:
    assert len(plan(1000.0, rule) or []) == count


def test_a_duration_of_zero_is_the_whole_source() -> None:
    assert plan(1e6, SampleRule(duration_seconds=0.0)) is None


@given(
    duration=st.floats(0.0, 1e5),
    rule=st.builds(
        SampleRule,
        samples=st.none() | st.integers(1, 50),
        every_seconds=st.floats(1.0, 1e4),
        duration_seconds=st.floats(0.0, 1e3),
        min_samples=st.integers(1, 50),
    ),
)
def test_samples_lie_inside_and_apart(duration: float, rule: SampleRule) -> None:
    starts = plan(duration, rule)
    if starts is not None:
        ends = [start + rule.duration_seconds for start in starts]
        assert starts[0] > 0 and ends[-1] < duration
        assert all(end < start for end, start in zip(ends, starts[1:], strict=False))

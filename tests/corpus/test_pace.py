"""The time that is left is said from the rows just done, and not before there are some."""

from __future__ import annotations

import pytest

from vmaftune.corpus.pace import Pace


class _Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_nothing_is_said_at_the_start() -> None:
    clock = _Clock()
    pace = Pace(10.0, clock)
    for _ in range(5):
        assert pace.rows_per_minute is None and pace.seconds_left is None
        clock.seconds += 2.0
        pace.measured(1.0)
    assert pace.seconds_left is None
    clock.seconds += 2.0
    pace.measured(1.0)
    assert pace.rows_per_minute == pytest.approx(30.0) and pace.seconds_left == pytest.approx(8.0)


def test_work_counts_and_not_rows() -> None:
    clock = _Clock()
    pace = Pace(10.0 + 40.0, clock)  # ten small rows, then ten of four times the pixels
    for _ in range(10):
        clock.seconds += 1.0
        pace.measured(1.0)
    assert pace.seconds_left == pytest.approx(40.0)
    pace.given_up(20.0)
    assert pace.seconds_left == pytest.approx(20.0)


def test_a_slower_encoder_is_noticed() -> None:
    clock = _Clock()
    pace = Pace(200.0, clock)
    for seconds in (*[1.0] * 100, *[10.0] * 40):
        clock.seconds += seconds
        pace.measured(1.0)
    assert pace.seconds_left == pytest.approx(600.0) and pace.rows_per_minute == pytest.approx(6.0)

"""The rules that searches are measured against, on curves given as functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from rules import ab_av1, bisection

GRID = np.arange(10.0, 46.05, 0.1)
Curve = Callable[[float], float]


class Asked:
    """Scores places of the grid by a function of CRF, and remembers them."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve
        self.places: list[int] = []

    def __call__(self, place: int) -> float:
        self.places.append(place)
        return self._curve(float(GRID[place]))


CURVES: dict[str, Curve] = {
    "line": lambda crf: 110.0 - 0.8 * crf,
    "bent": lambda crf: 100.0 - (crf / 10.0) ** 2.0,
    "steep": lambda crf: 99.0 if crf < 25.0 else 60.0,
}


@pytest.mark.parametrize("name", CURVES)
def test_both_rules_reach_a_target_that_can_be_reached(name: str) -> None:
    for rule in (lambda score: ab_av1(GRID, score, 93.0, 0.1), lambda score: bisection(GRID, score, 93.0, 0.25)):
        asked = Asked(CURVES[name])
        place = rule(asked)
        assert place is not None and CURVES[name](float(GRID[place])) >= 93.0
        assert place in asked.places, "the result was scored"
        assert len(set(asked.places)) == len(asked.places) <= 12


def test_ab_av1_begins_in_the_middle_and_then_goes_most_of_the_way_to_the_end() -> None:
    asked = Asked(CURVES["line"])
    ab_av1(GRID, asked, 93.0, 0.1)
    middle = (len(GRID) - 1) // 2
    assert asked.places[:2] == [middle, round(middle * 0.4)]


def test_ab_av1_takes_a_score_that_is_near_enough_the_longer_it_takes() -> None:
    middle = (len(GRID) - 1) // 2
    assert ab_av1(GRID, lambda place: 93.05, 93.0, 0.1) == middle
    assert ab_av1(GRID, lambda place: 93.15, 93.0, 0.1) != middle


def test_what_cannot_be_reached() -> None:
    assert ab_av1(GRID, lambda place: 50.0, 93.0, 0.1) is None
    assert bisection(GRID, lambda place: 50.0, 93.0, 0.25) is None


def test_the_coarsest_crf_may_be_the_result() -> None:
    assert ab_av1(GRID, lambda place: 99.0, 93.0, 0.1) == len(GRID) - 1
    assert bisection(GRID, lambda place: 99.0, 93.0, 0.25) == len(GRID) - 1

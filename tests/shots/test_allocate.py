"""The allocation against every choice there is."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vmaftune.shots.allocate import allocate, keep_most, mean_of


@st.composite
def _films(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Sizes and VMAF of up to four shots at up to five CRFs, both falling; frames; a target."""
    shots, crfs = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    steps = st.lists(st.floats(0.05, 8.0), min_size=crfs, max_size=crfs)
    sizes = np.array([np.cumsum(draw(steps))[::-1] * 1000 for _ in range(shots)])
    vmafs = np.array([98.0 - np.cumsum(draw(steps)) for _ in range(shots)])
    frames = np.array([draw(st.integers(10, 200)) for _ in range(shots)], dtype=float)
    return sizes, vmafs, frames, draw(st.floats(60.0, 99.0))


@settings(max_examples=150, deadline=None)
@given(_films(), st.sampled_from([0.0, 75.0]))
def test_no_choice_of_as_good_a_mean_is_much_smaller(
    film: tuple[np.ndarray, np.ndarray, np.ndarray, float], floor: float
) -> None:
    sizes, vmafs, frames, target = film
    weights, rows = frames / frames.sum(), np.arange(len(sizes))
    allowed = vmafs >= floor
    allowed[~allowed.any(axis=1), 0] = True
    every = [np.array(c) for c in itertools.product(range(sizes.shape[1]), repeat=len(sizes))]
    every = [c for c in every if allowed[rows, c].all()]
    reaching = [c for c in every if mean_of(c, vmafs, weights) >= target - 1e-9]
    choice = allocate(sizes, vmafs, frames, target, floor)
    if not reaching:
        assert choice is None
        return
    assert choice is not None and allowed[rows, choice].all()
    assert mean_of(choice, vmafs, weights) >= target - 1e-9
    size, least = sizes[rows, choice].sum(), min(sizes[rows, c].sum() for c in reaching)
    # What is cheapest at one price is off the optimum by less than one shot's choice (Everett's gap).
    largest_step = (sizes.max(axis=1) - sizes.min(axis=1)).max()
    assert least - 1e-6 <= size <= least + largest_step + 1e-6
    # And none that is both smaller and better by one shot's move alone was left.
    for shot, place in itertools.product(range(len(sizes)), range(sizes.shape[1])):
        other = choice.copy()
        other[shot] = place
        if allowed[shot, place] and mean_of(other, vmafs, weights) >= target:
            assert sizes[rows, other].sum() >= size - 1e-6


def test_a_shot_that_costs_little_is_made_better_for_one_that_costs_much() -> None:
    vmafs = np.array([[95.0, 93.0, 91.0, 89.0]] * 2)
    sizes = np.array([[400.0, 300.0, 250.0, 220.0], [40000.0, 30000.0, 25000.0, 22000.0]])
    choice = allocate(sizes, vmafs, np.array([50.0, 50.0]), 92.0, 0.0)
    assert choice is not None and choice.tolist() == [0, 3]
    floored = allocate(sizes, vmafs, np.array([50.0, 50.0]), 92.0, 90.0)
    assert floored is not None and floored.tolist() == [1, 2]


def test_shots_that_hardly_move_keep_their_encodes() -> None:
    vmafs = np.tile(np.linspace(98.0, 88.0, 21), (3, 1))
    weights = np.full(3, 1 / 3)
    old, new = np.array([10, 10, 4]), np.array([11, 9, 12])
    kept = keep_most(old, new, vmafs, weights, (mean_of(new, vmafs, weights) - 0.2, 99.0), steps=2)
    assert kept.tolist() == [10, 9, 12] or kept.tolist() == [10, 10, 12]
    assert abs(mean_of(kept, vmafs, weights) - mean_of(new, vmafs, weights)) <= 0.21

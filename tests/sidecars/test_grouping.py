"""Scores of one source miss together: they count with what each adds, and exactly as generalised least squares has it."""

from __future__ import annotations

import itertools
import random

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.sidecars.evidence import evidence_of
from vmaftune_plugins.sidecars.ridge_settings import Settings

from tests.sidecars.conftest import (
    DEVIATION,
    TEN,
    Make,
    adjustment,
    capture,
    features,
    learn,
    on_ten_sources,
    random_source,
    rows,
    shift,
    statistics,
    sums_of,
)
from vmaftune.contract import Capture
from vmaftune.contract.features import NAMES

CRFS = (10.0, 19.0, 23.5, 28.0, 37.0, 46.0)


def test_ten_scores_of_one_source_move_a_correction_hardly_more_than_one_and_ten_sources_much_more(make: Make) -> None:
    settings = Settings(minimum_sources=1)

    def learned(name: str, captures: list[Capture]) -> float:
        return float(shift(learn(make(settings=settings, folder=name), captures), 0.5)[9])

    sources = on_ten_sources(2.0, crfs=(28.0,))
    one = learned("one", sources[:1])
    over_crf = learned("over crf", [capture(16.0 + 3.0 * i, 2.0, source=TEN[0]) for i in range(10)])
    assert 0.0 < one < learned("three", sources[:3])
    assert one < over_crf < learned("four", sources[:4])
    assert learned("ten", sources) > max(1.5, 3.0 * over_crf)


@pytest.mark.parametrize("level", [2.0, 5.0, 8.0])
@pytest.mark.parametrize("how", ["the same scores", "scores that scatter", "all over the CRFs", "at many times"])
def test_fifty_scores_of_one_source_narrow_the_band_no_more_than_two_other_sources_do(
    make: Make, how: str, level: float
) -> None:
    """A source that is scored again and again is one source."""
    scatter = np.random.default_rng(1).normal(0.0, 0.3, 50)
    again = {
        "the same scores": [capture(28.0, level, source=TEN[0]) for _ in scatter],
        "scores that scatter": [capture(28.0, level + each, source=TEN[0]) for each in scatter],
        "all over the CRFs": [capture(16.0 + 0.5 * i, level + each, source=TEN[0]) for i, each in enumerate(scatter)],
        "at many times": [capture(28.0, level, source=TEN[0], at=1.7e9 + 86400.0 * i) for i in range(50)],
    }[how]
    three, five = (on_ten_sources(level, crfs=(28.0,))[:number] for number in (3, 5))

    def band(folder: str, captures: list[Capture]) -> float:
        learned = adjustment(learn(make(folder=folder), captures), 0.2)
        assert learned.covariance is not None
        return float(np.sqrt(learned.covariance[9, 9]))

    once, often, more = band("once", three), band("often", [*three, *again]), band("more sources", five)
    if how in ("the same scores", "at many times"):
        assert often == once
    assert often > 0.98 * min(once, more)


def test_a_capture_known_already_is_not_added_again(make: Make) -> None:
    correction = learn(make(), on_ten_sources(2.0))
    before = correction.state("libx264")
    learn(correction, [msgspec.structs.replace(c, unix_seconds=c.unix_seconds - 5.0) for c in on_ten_sources(2.0)])
    assert statistics(correction.state("libx264")) == statistics(before) and before.captures == 20


def test_a_source_is_known_again_though_pilots_differ_and_nothing_else_by_more_than_rounding(make: Make) -> None:
    """Pilots are encodes: x264 gives other bits on another number of processors."""
    of_source = features(0.7)
    pilots = [
        v + 0.05 if name.startswith("pilot") else v * (1.0 + 1e-7)
        for name, v in zip(NAMES, of_source.values, strict=True)
    ]
    elsewhere = msgspec.structs.replace(of_source, values=tuple(pilots))
    state = learn(make(), [capture(28.0, 2.0, source=of_source), capture(30.0, 2.0, source=elsewhere)]).state("libx264")
    assert (state.captures, state.sources) == (2, 1)
    other = msgspec.structs.replace(
        of_source, values=(*of_source.values[:6], of_source.values[6] + 1.0, *of_source.values[7:])
    )
    assert learn(make(), [capture(28.0, 2.0, source=other)]).state("libx264").sources == 2


def test_what_captures_come_down_to_is_generalised_least_squares() -> None:
    of_source = features(0.7)
    residuals = [1.5, -0.25, 2.0, 2.125, -3.0, 0.5]
    gram, moments, squares = sums_of(
        rows([capture(c, r, source=of_source) for c, r in zip(CRFS, residuals, strict=True)])
    )
    at = (np.array(CRFS) - 10.0) / 36.0  # libx264 is searched from 10 to 46
    covariance = DEVIATION**2 * np.exp(-0.5 * ((at[:, None] - at[None, :]) / 0.2) ** 2) + 1.0**2 * np.eye(len(at))
    t = 2.0 * at - 1.0
    scaled = of_source.scaled()
    x = np.array([[1.0, v, v**2, *scaled, *(v * scaled)] for v in t])
    r = np.array(residuals)
    # Positions are kept to six decimals, features as float32.
    assert np.allclose(gram, x.T @ np.linalg.solve(covariance, x), atol=2e-4, rtol=0)
    assert np.allclose(moments, x.T @ np.linalg.solve(covariance, r), atol=2e-4, rtol=0)
    assert 0.0 < squares < r @ np.linalg.solve(covariance, r), (
        "how scores scatter about level, slope and curvature is left out"
    )


def test_three_numbers_at_most_come_of_a_source_and_one_of_a_single_crf() -> None:
    def numbers(*crfs: float) -> int:
        return len(evidence_of(rows([capture(crf, 1.0 + 0.1 * n) for n, crf in enumerate(crfs)])).innovations)

    assert [numbers(28.0), numbers(28.0, 28.0, 28.0), numbers(20.0, 30.0), numbers(*CRFS)] == [1, 1, 2, 3]


def _sources(number: int, scores: int) -> list[list[Capture]]:
    """Captures by source."""
    numbers = np.random.default_rng(3)
    made = []
    for each in range(number):
        of_source = random_source(numbers)
        crfs = numbers.choice(CRFS, scores, replace=False)
        preset = ("medium", "slow", "fast")[each % 3]
        made.append([capture(float(crf), numbers.normal(1.0, 2.0), source=of_source, preset=preset) for crf in crfs])
    return made


def _joined(by_source: list[list[Capture]]) -> list[Capture]:
    return list(itertools.chain(*by_source))


def test_the_same_captures_in_any_order_give_exactly_the_same_statistics_and_shift(make: Make) -> None:
    captures = _joined(_sources(12, 4))
    expected = learn(make(folder="sorted"), captures)
    for seed in range(3):
        learned = learn(make(folder=f"shuffled {seed}"), random.Random(seed).sample(captures, len(captures)))
        assert statistics(learned.state("libx264")) == statistics(expected.state("libx264"))
        assert shift(learned, 0.3).tobytes() == shift(expected, 0.3).tobytes()
    later = [msgspec.structs.replace(each, unix_seconds=each.unix_seconds + n) for n, each in enumerate(captures[::-1])]
    assert statistics(learn(make(folder="at other times"), later).state("libx264")) == statistics(
        expected.state("libx264")
    )


def test_more_captures_than_are_kept_leave_the_last_ones_whatever_order_they_came_in(make: Make) -> None:
    settings = Settings(history_rows=16)
    captures = [msgspec.structs.replace(c, unix_seconds=1e9 + n) for n, c in enumerate(_joined(_sources(10, 4)))]
    expected = learn(make(folder="last"), captures[-16:]).state("libx264").history
    for seed in range(3):
        mixed = random.Random(seed).choices(captures, k=60) + random.Random(seed).sample(captures, len(captures))
        assert learn(make(folder=str(seed), settings=settings), mixed).state("libx264").history == expected


def test_a_source_that_comes_back_when_its_captures_are_forgotten_is_one_source(make: Make) -> None:
    correction = make(settings=Settings(history_rows=16))
    learn(correction, [capture(28.0, 2.0, source=-1.5), *on_ten_sources(2.0)])
    assert correction.state("libx264").sources == 8, "the first source and two more are forgotten"
    learn(correction, [capture(24.0 + i, 2.0, source=-1.5) for i in range(3)])
    state = correction.state("libx264")
    assert (state.captures, len({row.features for row in state.history})) == (16, state.sources)


def test_a_source_counts_on_its_own_for_each_encoder_and_each_preset(make: Make) -> None:
    correction = make()
    learn(correction, [capture(28.0, 2.0), capture(28.0, 2.0, preset="slow"), capture(28.0, 2.0, encoder="libx265")])
    assert [correction.state(encoder).sources for encoder in ("libx264", "libx265")] == [2, 1]
    assert evidence_of(correction.state("libx264").history).presets == ["medium", "slow"]


def test_a_source_counts_anew_after_a_reset(make: Make) -> None:
    correction = learn(make(), [capture(28.0 + i, 2.0) for i in range(3)])
    correction.reset("population_v2-0badcafe", "libx264")
    correction.learn(capture(28.0, 2.0))
    assert correction.state("libx264").captures == correction.state("libx264").sources == 1
    assert shift(correction).tobytes() == shift(learn(make(folder="new"), [capture(28.0, 2.0)])).tobytes()

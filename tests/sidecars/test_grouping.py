"""Scores of one source miss together: they count with what each adds, and exactly as generalised least squares has it."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from vmaftune_plugins.sidecars.history import HistoryRow
from vmaftune_plugins.sidecars.ridge import Settings
from vmaftune_plugins.sidecars.ridge_state import expanded, sums_of

from tests.sidecars.conftest import (
    DEVIATION,
    TEN,
    Make,
    capture,
    features,
    learn,
    on_ten_sources,
    random_source,
    rows,
    shift,
    statistics,
)
from vmaftune.types import Capture

CRFS = (10.0, 19.0, 23.5, 28.0, 37.0, 46.0)


def test_ten_scores_of_one_source_move_a_correction_hardly_more_than_one_and_ten_sources_much_more(make: Make) -> None:
    settings = Settings(minimum_sources=1)

    def learned(name: str, captures: list[Capture]) -> float:
        return float(shift(learn(make(settings=settings, folder=name), captures), 0.5)[9])

    sources = on_ten_sources(2.0, crfs=(28.0,))
    one = learned("one", sources[:1])
    again = learned("again", sources[:1] * 10)
    over_crf = learned("over crf", [capture(16.0 + 3.0 * i, 2.0, source=TEN[0]) for i in range(10)])
    assert 0.0 < one < again < learned("three", sources[:3])
    assert one < over_crf < learned("four", sources[:4])
    assert learned("ten", sources) > max(1.5, 3.0 * over_crf)


def test_a_score_known_already_adds_nothing_and_another_source_adds_a_whole_one() -> None:
    first, again, far, other = rows(
        [capture(28.0, 2.0), capture(28.0, 2.0), capture(46.0, 2.0), capture(28.0, 2.0, source=0.5)]
    )
    assert first.first and other.first and not again.first and not far.first
    assert other.terms == first.terms and other.innovation == first.innovation
    assert abs(again.terms[0]) < 0.5 * first.terms[0]
    assert abs(again.terms[0]) < abs(far.terms[0]) <= first.terms[0]


def test_the_sum_of_innovations_is_generalised_least_squares() -> None:
    of_source = features(0.7)
    residuals = [1.5, -0.25, 2.0, 2.125, -3.0, 0.5]
    together = sums_of(rows([capture(c, r, source=of_source) for c, r in zip(CRFS, residuals, strict=True)]))
    gram, moments, squares = expanded(together)
    at = (np.array(CRFS) - 10.0) / 36.0  # libx264 is searched from 10 to 46
    covariance = DEVIATION**2 * np.exp(-0.5 * ((at[:, None] - at[None, :]) / 0.2) ** 2) + 1.0**2 * np.eye(len(at))
    t = 2.0 * at - 1.0
    scaled = of_source.scaled()
    x = np.array([[1.0, v, v**2, *scaled, *(v * scaled)] for v in t])
    r = np.array(residuals)
    # Terms, innovations and positions are kept to six decimals.
    assert np.allclose(gram, x.T @ np.linalg.solve(covariance, x), atol=2e-4, rtol=0)
    assert np.allclose(moments, x.T @ np.linalg.solve(covariance, r), atol=2e-4, rtol=0)
    assert squares == pytest.approx(r @ np.linalg.solve(covariance, r), abs=2e-4)


def test_the_order_in_which_one_source_was_scored_changes_no_sum_beyond_rounding() -> None:
    scored = [capture(c, r) for c, r in zip(CRFS, (1.5, -0.25, 2.0, 2.125, -3.0, 0.5), strict=True)]
    forth, back = sums_of(rows(scored)), sums_of(rows(scored[::-1]))
    assert np.abs(forth - back).max() < 1e-3 * 2**32


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


def test_the_same_captures_in_any_order_of_sources_give_exactly_the_same_statistics(make: Make) -> None:
    by_source = _sources(12, 4)
    small = Settings(history_rows=16)
    expected = statistics(learn(make(folder="sorted", settings=small), _joined(by_source)).state("libx264"))
    assert [known[:2] for known in expected.values()] == [(16, 4)] * 3
    for seed in range(4):
        shuffled = random.Random(seed).sample(by_source, len(by_source))
        learned = learn(make(folder=f"shuffled {seed}", settings=small), _joined(shuffled))
        assert statistics(learned.state("libx264")) == expected
    in_turn = learn(make(folder="in turn"), [each for one_each in zip(*by_source, strict=True) for each in one_each])
    assert statistics(in_turn.state("libx264")) == expected


def test_statistics_do_not_hang_on_how_much_history_is_kept(make: Make) -> None:
    captures = _joined(_sources(30, 4))
    short, long = (learn(make(folder=str(n), settings=Settings(history_rows=n)), captures) for n in (16, 2000))
    assert len(short.state("libx264").history) == 16 and len(long.state("libx264").history) == 120
    assert statistics(short.state("libx264")) == statistics(long.state("libx264"))


def test_more_scores_of_a_source_than_the_history_holds_are_still_of_one_source(make: Make) -> None:
    captures = [capture(10.0 + 0.75 * i, 2.0) for i in range(40)]
    short, long = (learn(make(folder=str(n), settings=Settings(history_rows=n)), captures) for n in (16, 500))
    assert statistics(short.state("libx264")) == statistics(long.state("libx264"))
    assert short.state("libx264").sources == 1


def test_a_source_counts_on_its_own_for_each_encoder_and_each_preset(make: Make) -> None:
    correction = make()
    at_x264 = [capture(28.0, 2.0), capture(28.0, 2.0, preset="slow")]
    at_x265 = [capture(28.0, 2.0, encoder="libx265")]
    learn(correction, [*at_x264, *at_x265])

    def first(encoder: str) -> list[HistoryRow]:
        return [row for row in correction.state(encoder).history if row.first]

    assert [row.preset for row in first("libx264")] == ["medium", "slow"]
    assert [row.terms for row in first("libx265")] == [rows(at_x265)[0].terms]


def test_a_source_counts_anew_after_a_reset(make: Make) -> None:
    correction = learn(make(), [capture(28.0, 2.0)] * 3)
    correction.reset("population_v2-0badcafe", "libx264")
    correction.learn(capture(28.0, 2.0))
    assert correction.state("libx264").captures == correction.state("libx264").sources == 1
    assert shift(correction).tobytes() == shift(learn(make(folder="new"), [capture(28.0, 2.0)])).tobytes()

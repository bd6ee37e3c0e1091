"""What moves a correction and what does not: one absurd score, chance, a consistent miss, and sources that disagree."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.sidecars.conftest import (
    DEVIATION,
    TEN,
    VERSION,
    Make,
    adjustment,
    capture,
    context,
    features,
    learn,
    on_ten_sources,
    prediction,
    random_source,
    shift,
    smooth,
    statistics,
)
from vmaftune.contract import Capture
from vmaftune.contract.features import NAMES, Features

ABSURD = (60.0, -60.0, 20.0, -20.0, 10.0, -10.0)


def _scattered(seed: int, about: float = 0.0, *, alike: bool = True, times: float = 1.0) -> list[Capture]:
    """Two scores each of ten sources, whose curves miss by as much as the prediction says, or so many times as much.

    Args:
        alike: the sources' features lie on one line; otherwise anywhere.
    """
    random = np.random.default_rng(seed)
    asked = context(step=6.0)
    made = []
    for offset in TEN:
        source = features(offset) if alike else random_source(random)
        missed = random.multivariate_normal(np.full(len(asked.crfs), about), times**2 * smooth(asked))
        for index in random.choice(len(asked.crfs), 2, replace=False):
            residual = missed[index] + random.normal(0.0, 0.3)
            made.append(capture(float(asked.crfs[index]), residual, source=source))
    return made


def _ordinary(about: str) -> list[Capture]:
    return {
        "nothing": lambda: _scattered(1),
        "nothing, anywhere": lambda: _scattered(1, alike=False),
        "three": lambda: on_ten_sources(3.0),
        "three, scattered": lambda: _scattered(4, 3.0),
    }[about]()


def _missed(about: str, *residuals: float) -> list[object]:
    why = "one score of 10 VMAF moves what scattered sources taught by 0.6"
    strict = pytest.mark.xfail(strict=True, reason=why)
    return [pytest.param(about, residual, marks=strict if residual in residuals else ()) for residual in ABSURD]


@pytest.mark.parametrize(
    ("about", "residual"),
    [
        *_missed("nothing"),
        *_missed("nothing, anywhere"),
        *_missed("three"),
        *_missed("three, scattered", 10.0, -10.0),
    ],
)
def test_one_absurd_score_after_twenty_ordinary_ones_moves_no_curve_by_more_than_half_a_vmaf(
    make: Make, tmp_path: Path, about: str, residual: float
) -> None:
    ordinary = _ordinary(about)
    learned = learn(make(), ordinary)
    asked = [features(0.0), features(0.33), ordinary[0].features, random_source(np.random.default_rng(9))]
    before = [shift(learned, source) for source in asked]
    for number, crf in enumerate((10.0, 28.0, 46.0)):
        shutil.copytree(tmp_path / "sidecar", tmp_path / str(number))
        moved = learn(make(folder=str(number)), [capture(crf, residual, source=0.33)])
        assert max(np.abs(shift(moved, s) - b).max() for s, b in zip(asked, before, strict=True)) <= 0.5


@pytest.mark.parametrize("residual", [60.0, -60.0])
def test_an_absurd_score_is_counted_and_holds_no_statistics(make: Make, residual: float) -> None:
    correction = learn(make(), on_ten_sources(3.0))
    before = statistics(correction.state("libx264"))
    shifted = shift(correction)
    correction.learn(capture(28.0, residual, source=5.0))
    after = correction.state("libx264")
    assert statistics(after) == (before[0] + 1, before[1], 1, *before[3:])
    assert after.history[-1].absurd
    assert not any(row.absurd for row in after.history[:-1])
    assert [held.absurd for held in correction.captures(VERSION, "libx264")][-2:] == [False, True]
    assert np.allclose(shift(correction), shifted, atol=1e-9, rtol=0)
    (state,) = correction.states()
    assert state.absurd == 1 and state.captures == 21 and state.sources == 10


@pytest.mark.parametrize("residual", [60.0, -60.0, 25.0, -25.0, 20.0, -20.0, 10.0, -10.0])
def test_an_absurd_score_as_the_first_one_shifts_by_half_a_vmaf_at_most(make: Make, residual: float) -> None:
    correction = learn(make(), [capture(28.0, residual)])
    assert correction.state("libx264").captures == 1
    assert np.abs(shift(correction)).max() <= 0.5


def test_a_source_that_was_scored_absurdly_counts_once_when_it_is_scored_again(make: Make) -> None:
    correction = learn(make(), [capture(28.0, 60.0), capture(28.0, 2.0), capture(31.0, 2.0)])
    state = correction.state("libx264")
    assert (state.captures, state.sources) == (3, 1)


@pytest.mark.parametrize("field", ["observed", "predicted", "deviation", "corrected", "crf_position"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused_and_costs_nothing_that_was_learned(
    make: Make, field: str, value: float
) -> None:
    correction = learn(make(), on_ten_sources(3.0)[:3])
    before = correction.state("libx264")
    with pytest.raises(ValueError, match="no number"):
        correction.learn(msgspec.structs.replace(capture(28.0, 1.0), **{field: value}))
    assert correction.state("libx264") == before


def test_chance_shifts_nothing(make: Make) -> None:
    largest = []
    for seed in range(20):
        captures = _scattered(seed, alike=seed % 2 == 0)
        learned = learn(make(folder=str(seed)), captures)
        asked = [features(0.0), *(each.features for each in captures[::4])]
        largest.append(max(np.abs(shift(learned, source)).max() for source in asked))
    assert np.median(largest) <= 0.1 and np.quantile(largest, 0.9) <= 0.35


@pytest.mark.parametrize("missed", [3.0, -3.0])
def test_a_consistent_miss_is_learned_to_a_quarter_and_narrows_the_band(make: Make, missed: float) -> None:
    learned = learn(make(), on_ten_sources(missed))
    for source in (0.0, 0.5, -1.0, random_source(np.random.default_rng(4))):
        made = adjustment(learned, source)
        assert np.abs(made.shift - missed).max() <= 0.25 * abs(missed)
        assert made.captures == 20
    bare = np.sqrt(prediction(context()).covariance.diagonal())
    band = np.sqrt(adjustment(learned).covariance.diagonal())
    assert (band < 0.9 * bare).all()


def test_the_band_is_wider_where_sources_scatter_far_more_than_the_prediction_says(make: Make) -> None:
    bands = {}
    for times in (1.0, 3.0, 5.0):
        each = [
            adjustment(learn(make(folder=f"{times} {seed}"), _scattered(seed, times=times))).covariance
            for seed in range(3)
        ]
        bands[times] = np.sqrt(np.mean([covariance.diagonal() for covariance in each], axis=0))
    assert (bands[1.0] < 1.1 * DEVIATION).all()
    assert (bands[3.0] > 1.1 * DEVIATION).all() and (bands[5.0] > bands[3.0]).all()


def test_a_slope_over_crf_is_learned_as_one(make: Make) -> None:
    captures = [capture(crf, missed, source=s) for s in TEN for crf, missed in ((12.0, 0.0), (28.0, 2.0), (44.0, 4.0))]
    learned = shift(learn(make(), captures))
    assert (np.diff(learned) > 0).all() and learned[-1] - learned[0] > 2.0


@pytest.mark.parametrize("value", [math.nan, 1e12, -1e12])
def test_odd_features_give_finite_corrections(make: Make, value: float) -> None:
    odd = Features(schema=features().schema, values=(value,) * len(NAMES))
    learned = learn(make(), [*on_ten_sources(3.0), capture(28.0, 4.0, source=odd)])
    made = adjustment(learned, odd)
    assert np.isfinite(made.shift).all() and np.isfinite(made.covariance).all()
    assert np.allclose(made.covariance, made.covariance.T)
    assert np.linalg.eigvalsh(made.covariance).min() > -1e-6


def test_each_encoder_has_its_own_state(make: Make, state_path: Path) -> None:
    correction = learn(make(), on_ten_sources(3.0))
    cold = adjustment(correction, encoder="libx265")
    assert not cold.shift.any() and cold.covariance is None
    assert not (state_path.parents[1] / "libx265").exists()


def test_presets_that_contradict_each_other_are_told_apart(make: Make) -> None:
    both = learn(
        make(), [c for pair in zip(on_ten_sources(3.0), on_ten_sources(-3.0, preset="slow"), strict=True) for c in pair]
    )
    assert (shift(both, preset="medium") > 1.5).all() and (shift(both, preset="slow") < -1.5).all()
    assert np.abs(shift(both, preset="fast")).max() < 1.0, "nobody knows about a third one"
    right = learn(make(folder="zero"), [*on_ten_sources(3.0), *on_ten_sources(0.0, preset="slow")])
    assert (shift(right, preset="medium") > 2.0).all()
    assert np.abs(shift(right, preset="slow")).max() < 0.3 * shift(right, preset="medium").min()


def test_what_one_preset_taught_helps_another_that_nothing_is_known_of(make: Make) -> None:
    learned = learn(make(), on_ten_sources(3.0))
    own, others = shift(learned), shift(learned, preset="slow")
    assert (others > 0.5).all() and others.mean() < own.mean()


def test_learning_from_one_kind_of_source_carries_over_to_a_like_one_more_than_to_an_unlike_one(make: Make) -> None:
    captures = [capture(crf, 4.0 * (s > 0), source=s) for s in TEN for crf in (16.0, 32.0)]
    learned = learn(make(), captures)
    assert (shift(learned, 1.0) > 2.5).all() and (shift(learned, -1.0) < 1.5).all()

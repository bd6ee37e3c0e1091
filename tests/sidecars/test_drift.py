"""Whether what was learned still fits: healthy, learning, drifting or stale, and the note that says so."""

from __future__ import annotations

import time

import numpy as np
import pytest
from vmaftune_plugins.sidecars.drift import STALE_SECONDS, Health, health

from tests.sidecars.conftest import DEVIATION, Make, adjustment, capture, learn, rows, shift
from vmaftune.contract import Capture

NOW = 1.7e9
WINDOW, THRESHOLD = 50, 1.6


def _left(count: int, times: float, *, seed: int = 1, corrected: float = 0.0, at: float | None = NOW) -> list[Capture]:
    """Scores that lie about the corrected curve by so many times the prediction's deviation, one of each source."""
    random = np.random.default_rng(seed)
    return [
        capture(
            float(random.uniform(10.0, 46.0)),
            corrected + times * DEVIATION * random.normal(),
            source=float(random.uniform(-1.0, 1.0)),
            corrected=corrected,
            at=at,
        )
        for _ in range(count)
    ]


def _health(captures: list[Capture], now: float = NOW + 60.0) -> Health:
    return health(rows(captures), WINDOW, THRESHOLD, now)


def test_nothing_learned_is_no_drift() -> None:
    assert _health([]) == Health(status="learning", ratio=None, rms_before=None, rms_after=None, window=0)


def test_half_a_window_is_too_little_to_judge_by() -> None:
    assert _health(_left(24, 4.0)).status == "learning"
    assert _health(_left(25, 4.0)).status == "drifting"


def test_scores_as_the_prediction_says_are_healthy() -> None:
    found = _health(_left(50, 1.0))
    assert found.status == "healthy" and found.window == 50
    assert found.ratio is not None and 0.7 < found.ratio < 1.3


def test_scores_far_from_what_the_prediction_says_are_drift() -> None:
    found = _health(_left(50, 3.0))
    assert found.status == "drifting" and found.ratio is not None and 2.2 < found.ratio < 3.8


def test_a_large_miss_that_was_corrected_is_no_drift() -> None:
    found = _health(_left(50, 0.5, corrected=6.0))
    assert found.status == "healthy"
    assert found.rms_before is not None and found.rms_before > 5.0
    assert found.rms_after is not None and found.rms_after < 1.2


def test_one_absurd_score_is_no_drift() -> None:
    assert _health([*_left(49, 1.0), capture(28.0, 60.0, at=NOW)]).status == "healthy"


def test_only_the_last_window_counts() -> None:
    assert _health([*_left(50, 4.0), *_left(50, 1.0)]).status == "healthy"
    assert _health([*_left(50, 1.0), *_left(50, 4.0)]).status == "drifting"


@pytest.mark.parametrize("times", [1.0, 4.0])
def test_what_nobody_added_to_for_half_a_year_is_stale(times: float) -> None:
    captures = _left(50, times)
    assert _health(captures, NOW + STALE_SECONDS + 1.0).status == "stale"
    assert _health(captures, NOW + STALE_SECONDS - 1.0).status != "stale"


def test_a_note_comes_with_a_drifting_correction_and_with_no_other(make: Make) -> None:
    healthy = learn(make(folder="healthy"), _left(40, 1.0, at=None))
    assert adjustment(healthy).note is None and healthy.states()[0].status == "healthy"
    drifting = learn(make(folder="drifting"), _left(40, 4.0, at=None))
    note, (state,) = adjustment(drifting).note, drifting.states()
    assert state.status == "drifting" and state.ratio is not None
    assert note is not None and f"{state.ratio:.1f} times" in note and "vmaf-tune train predictor" in note
    old = learn(make(folder="stale"), _left(40, 4.0, at=time.time() - STALE_SECONDS - 10.0))
    assert adjustment(old).note is None and old.states()[0].status == "stale"


def test_a_host_whose_miss_is_learned_stays_healthy(make: Make) -> None:
    """ADR-0394 fears that a correction masks a stale predictor: drift is about what correction leaves."""
    random = np.random.default_rng(2)
    correction = make()
    for _ in range(40):
        source, crf = float(random.uniform(-1.0, 1.0)), float(random.uniform(10.0, 46.0))
        corrected = float(np.interp(crf, np.linspace(10.0, 46.0, 19), shift(correction, source)))
        correction.learn(capture(crf, 4.0 + 0.5 * random.normal(), source=source, corrected=corrected))
    (state,) = correction.states()
    assert state.status == "healthy" and state.window == 40
    assert state.rms_before is not None and state.rms_after is not None and state.rms_after < 0.5 * state.rms_before

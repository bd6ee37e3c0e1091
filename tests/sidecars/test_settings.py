"""Every setting is in force where it was made, for all encoders, for one or for one preset, and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vmaftune_plugins.sidecars.evidence import evidence_of
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_settings import Settings
from vmaftune_plugins.sidecars.ridge_state import forgetting

from tests.sidecars.conftest import (
    DEVIATION,
    TEN,
    Make,
    adjustment,
    capture,
    context,
    learn,
    on_ten_sources,
    shift,
)
from vmaftune.config.validate import validated
from vmaftune.errors import UserError
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun

Where = tuple[str, str]
X264, SLOW, X265 = ("libx264", "medium"), ("libx264", "slow"), ("libx265", "medium")


def _taught(correction: RidgeCorrection, where: Where, *residuals: float) -> RidgeCorrection:
    """Captures of ten sources for each of the residuals."""
    return learn(
        correction, [c for r in residuals for c in on_ten_sources(r, crfs=(28.0,), encoder=where[0], preset=where[1])]
    )


def _is_off(correction: RidgeCorrection, where: Where) -> bool:
    made = adjustment(_taught(correction, where, 3.0), 0.0, *where)
    return not made.shift.any() and made.covariance is None and correction.state(where[0]).captures == 0


def _hardly_shifts(correction: RidgeCorrection, where: Where) -> bool:
    return bool(shift(_taught(correction, where, 3.0), 0.0, *where).max() < 0.3)


def _keeps_sixteen(correction: RidgeCorrection, where: Where) -> bool:
    return len(_taught(correction, where, 3.0, 2.0).state(where[0]).history) == 16


def _shifts_a_half_at_most(correction: RidgeCorrection, where: Where) -> bool:
    return set(shift(_taught(correction, where, 3.0), 0.0, *where).tolist()) == {0.5}


def _forgets(correction: RidgeCorrection, where: Where) -> bool:
    for missed in (3.0, -3.0):
        learn(correction, on_ten_sources(missed, crfs=(16.0, 28.0, 40.0), encoder=where[0], preset=where[1]))
    return bool(shift(correction, 0.0, *where).max() < -1.5)


def _waits_for_eleven_sources(correction: RidgeCorrection, where: Where) -> bool:
    made = adjustment(_taught(correction, where, 3.0), 0.0, *where)
    waits = not made.shift.any() and made.covariance is None
    learn(correction, [capture(28.0, 3.0, source=2.0, encoder=where[0], preset=where[1])])
    return waits and bool(shift(correction, 0.0, *where).min() > 2.0)


def _sees_only_the_last_five(correction: RidgeCorrection, where: Where) -> bool:
    _scattered(correction, where, 4.0, 30)
    before = adjustment(correction, 0.0, *where).note
    _scattered(correction, where, 0.5, 5)
    return before is not None and adjustment(correction, 0.0, *where).note is None


def _calls_everything_drift(correction: RidgeCorrection, where: Where) -> bool:
    _scattered(correction, where, 0.5, 30)
    return adjustment(correction, 0.0, *where).note is not None


def _scattered(correction: RidgeCorrection, where: Where, times: float, count: int) -> None:
    residuals = times * DEVIATION * np.random.default_rng(1).normal(size=count)
    each = zip(itertools.cycle(TEN), residuals, strict=False)
    learn(correction, [capture(28.0, r, source=s, encoder=where[0], preset=where[1]) for s, r in each])


EFFECTS: dict[str, tuple[object, Callable[[RidgeCorrection, Where], bool]]] = {
    "enabled": (False, _is_off),
    "lambda": (1e6, _hardly_shifts),
    "history-rows": (16, _keeps_sixteen),
    "max-correction": (0.5, _shifts_a_half_at_most),
    "half-life": (4.0, _forgets),
    "minimum-sources": (11, _waits_for_eleven_sources),
    "drift-window": (5, _sees_only_the_last_five),
    "drift-threshold": (0.01, _calls_everything_drift),
}

PLACES: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], tuple[Where, ...], tuple[Where, ...]]] = {
    "all encoders": (lambda table: table, (X264, X265), ()),
    "an encoder": (lambda table: {"encoders": {"libx264": table}}, (X264, SLOW), (X265,)),
    "a preset": (lambda table: {"encoders": {"libx264": {"presets": {"medium": table}}}}, (X264,), (SLOW, X265)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", EFFECTS)
def test_a_setting_is_in_force_where_it_was_made_and_nowhere_else(make: Make, key: str, place: str) -> None:
    (value, effect), (table, here, elsewhere) = EFFECTS[key], PLACES[place]
    if key == "enabled" and place == "all encoders":
        with pytest.raises(UserError):
            validated({key: value}, Settings, "mine.toml", "plugins.ridge-sidecar")
        return  # a plugin that is not wanted is not switched on
    settings = validated(table({key: value}), Settings, "mine.toml", "plugins.ridge-sidecar")
    assert [effect(make(folder="-".join(at), settings=settings), at) for at in here] == [True] * len(here)
    assert [effect(make(folder="-".join(at), settings=settings), at) for at in elsewhere] == [False] * len(elsewhere)


def test_what_stands_for_a_preset_goes_before_what_stands_for_its_encoder_and_that_before_all(make: Make) -> None:
    table = {
        "max-correction": 2.0,
        "encoders": {"libx264": {"max-correction": 1.0, "presets": {"slow": {"max-correction": 0.5}}}},
    }
    settings = validated(table, Settings, "mine.toml", "plugins.ridge-sidecar")
    found = [
        shift(_taught(make(folder="-".join(at), settings=settings), at, 3.0), 0.0, *at) for at in (SLOW, X264, X265)
    ]
    assert [set(each.tolist()) for each in found] == [{0.5}, {1.0}, {2.0}]


def test_nothing_counts_less_unless_asked_for(make: Make) -> None:
    assert Settings().half_life == 0.0
    forth, back = (_taught(make(folder=str(first)), X264, first, -first) for first in (3.0, -3.0))
    assert abs(shift(forth).max()) < 1.0 and abs(shift(back).max()) < 1.0, "both count alike"


def test_a_half_life_counts_a_source_by_the_captures_that_came_after_it(make: Make) -> None:
    captures = [capture(28.0, float(i % 5), source=i / 20 - 1.0, at=1e9 + i) for i in range(40)]
    evidence = evidence_of(learn(make(), captures).state("libx264").history, forgetting(8.0))
    each = zip(evidence.features, evidence.weights.tolist(), strict=True)
    weights = {round(float(of_source[0]), 3): weight for of_source, weight in each}
    assert [weights[offset] for offset in sorted(weights)] == pytest.approx(
        [0.5 ** (age / 8) for age in range(39, -1, -1)]
    )
    assert forgetting(8.0) ** 8 == pytest.approx(0.5) and forgetting(0.0) == 1.0


@pytest.mark.parametrize(
    "table",
    [
        {"lambda": 0},
        {"lambda": "1"},
        {"history-rows": 15},
        {"history-rows": 5001},
        {"max-correction": 41},
        {"max-correction": -1},
        {"half-life": -1},
        {"minimum-sources": 0},
        {"drift-window": 4},
        {"drift-threshold": 0},
        {"lamda": 1.0},
        {"encoders": {"libx264": {"enabled": 1}}},
        {"encoders": {"libx264": {"forget": True}}},
        {"encoders": {"libx264": {"presets": {"slow": {"history-rows": 1}}}}},
        {"encoders": {"libx264": {"presets": {"slow": {"presets": {}}}}}},
    ],
)
def test_wrong_settings_are_refused_with_file_and_key(table: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"mine\.toml: .*plugins\.ridge-sidecar"):
        validated(table, Settings, "mine.toml", "plugins.ridge-sidecar")


def test_it_learns_nothing_unless_it_is_switched_on(tmp_path: Path) -> None:
    for name, on in (("off", ()), ("on", ("ridge-sidecar",))):
        run = PluginRun(PluginManager(), PluginChoice(on=on), tmp_path / name, pytest.fail)
        curve = run.predict(context())
        run.learn(curve, 3, float(curve.bare.mean[3]) - 1.0, 1.7e9)
        assert bool(list((tmp_path / name).rglob("state.json"))) == bool(on)
        assert bool(curve.adjustments) == bool(on)
        assert curve.corrected is curve.bare, "nothing was learned yet"

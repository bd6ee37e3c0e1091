"""How methods are charged, and that one search teaches the next nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from methods import METHODS, OURS, run, teach
from probes import Curve
from summary import BISECTION, RULE
from vmaftune_plugins.encoders import vmaftune_encoders

from tests.crf_search.conftest import DEVIATION, FEATURES_OF_A_SOURCE, CurveProber, record
from vmaftune.contract import ProbeRecord
from vmaftune.crf_search.grid import crf_grid
from vmaftune.host.manager import PluginManager

SPEC = next(spec for spec in vmaftune_encoders() if spec.name == "libx264")


def line(crf: float) -> float:
    return 110.0 - 0.8 * crf


class Prober(CurveProber):
    """Explores for one search what it has verified for another."""

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        self.explorations.append(crf)
        return record(crf, line(crf), deviation=DEVIATION)


@pytest.fixture(scope="module")
def manager() -> PluginManager:
    return PluginManager()


@pytest.fixture(autouse=True)
def blind(manager: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes out is the same whatever models are shipped."""
    off = tuple(registration.name for registration in manager.of_kind("predictor"))
    for method in ("cold", "warm", "no-explore"):
        monkeypatch.setitem(OURS, method, dataclasses.replace(OURS[method], off=off))


@pytest.fixture
def curve(tmp_path: Path) -> Curve:
    source: Any = SimpleNamespace(
        measured=SimpleNamespace(features=FEATURES_OF_A_SOURCE), settings=SimpleNamespace(preset="medium")
    )
    prober: Any = Prober(line, share=0.3)
    return Curve(
        clip="a",
        encoder="libx264:medium",
        spec=SPEC,
        grid=crf_grid(SPEC, None, None, None),
        source=source,
        feature_seconds=0.5,
        folder=tmp_path,
        prober=prober,
        verified={},
        explored={},
    )


def test_each_pays_for_what_it_asks_and_no_probe_is_made_twice(curve: Curve, manager: PluginManager) -> None:
    tallies = {method: run(method, curve, 93.0, manager, curve.folder)[0] for method in METHODS}
    prober: Any = curve.prober
    assert len(set(prober.asked)) == len(prober.asked) == len(curve.verified)
    assert len(set(prober.explorations)) == len(prober.explorations) == len(curve.explored)
    for method, tally in tallies.items():
        assert tally.vmaf is not None and tally.vmaf >= 93.0
        assert tally.seconds == tally.verified + tally.explored + (0.5 if method in OURS else 0.0)
        assert len(tally.steps.split()) == tally.verified + tally.explored
    assert tallies["cold"].explored > 0
    assert all(tallies[method].explored == 0 for method in ("no-explore", BISECTION, RULE))


def test_the_order_of_methods_changes_nothing(curve: Curve, manager: PluginManager) -> None:
    first = {method: run(method, curve, 93.0, manager, curve.folder)[0] for method in METHODS}
    again = {method: run(method, curve, 93.0, manager, curve.folder)[0] for method in reversed(METHODS)}
    assert first == again


def test_warm_rests_on_what_it_was_taught_and_on_no_more(curve: Curve, manager: PluginManager) -> None:
    cold, captures = run("cold", curve, 93.0, manager, curve.folder)
    assert cold.captures == 0 and len(captures) == cold.verified
    state = curve.folder / "learned"
    teach(manager, state, [captures, captures], SPEC, curve.grid)
    for target in (90.0, 93.0, 90.0):
        warm, _ = run("warm", curve, target, manager, state)
        assert warm.captures == len(captures)  # however often they come
    untaught, _ = run("warm", curve, 93.0, manager, curve.folder / "nothing")
    assert untaught.steps == cold.steps

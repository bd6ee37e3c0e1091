"""Exploring says where to verify; a result is only ever of a verifying probe."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmaftune.contract import Capture, ProbeRecord, ProbeRequest
from vmaftune.host.run import PluginRun

Curve = Callable[[float], float]

CHEAP = 0.15


def ordinary(crf: float) -> float:
    return 99.0 - 0.012 * max(0.0, crf - 8) ** 2


def off_by(offset: float, curve: Curve = ordinary) -> Curve:
    """What a part scores: an offset of its own, and a little noise that differs from CRF to CRF."""
    return lambda crf: curve(crf) + offset + 0.05 * np.sin(37.0 * crf)


@pytest.fixture
def find(find: Callable[..., Any]) -> Callable[..., Any]:
    return functools.partial(find, blind=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    knots=st.lists(st.floats(0, 100), min_size=3, max_size=9),
    target=st.floats(20, 99.5),
    tolerance=st.sampled_from([0.0, 0.1, 0.25, 1.0]),
    offset=st.floats(-3, 3),
    share=st.floats(0, 1),
    max_probes=st.integers(1, 10),
    encoder=st.sampled_from(["libx264", "libsvtav1", "libaom-av1", "hevc_videotoolbox", "h264_nvenc"]),
)
def test_whatever_is_explored_the_result_was_verified(  # type: ignore[no-untyped-def]
    find, knots, target, tolerance, offset, share, max_probes, encoder
) -> None:
    places = np.linspace(0, 100, len(knots))

    def curve(crf: float) -> float:
        return round(float(np.interp(crf, places, knots)), 6)

    outcome, prober = find(
        curve,
        target,
        encoder=encoder,
        tolerance=tolerance,
        part=off_by(offset, curve),
        share=share,
        max_probes=max_probes,
    )
    assert outcome.best.purpose == "verify" and outcome.best.crf in prober.asked
    assert outcome.best.score == curve(outcome.best.crf)
    assert outcome.stop.met == (outcome.best.score >= target)
    assert len(set(prober.explorations)) == len(prober.explorations) <= 2
    assert len(prober.asked) + len(prober.explorations) == len(outcome.probes) <= max_probes
    assert [p.purpose for p in outcome.probes] == ["explore"] * len(prober.explorations) + ["verify"] * len(
        prober.asked
    )


@pytest.mark.parametrize("offset", [-0.4, -0.2, 0.0, 0.2, 0.4])
@pytest.mark.parametrize("target", [85.0, 90.0, 93.0, 96.0])
def test_a_search_ends_verified_after_few_verifying_probes(find, offset: float, target: float) -> None:
    outcome, prober = find(ordinary, target, part=off_by(offset), share=CHEAP)
    assert outcome.stop.reason == "within-tolerance"
    assert target <= outcome.best.score <= target + 0.25
    assert 1 <= len(prober.explorations) <= 2 and len(prober.asked) <= 3


def test_exploring_saves_verifying_probes(find) -> None:
    offsets, targets = (-0.3, -0.1, 0.0, 0.1, 0.3), (85.0, 88.0, 91.0, 94.0, 96.0)
    with_it = [len(find(ordinary, t, part=off_by(o), share=CHEAP)[1].asked) for o in offsets for t in targets]
    without = [len(find(ordinary, t)[1].asked) for _ in offsets for t in targets]
    assert sum(with_it) < 0.75 * sum(without)


@pytest.mark.parametrize("share", [None, 0.8, 1.0])
def test_nothing_is_explored_where_that_costs_as_much_or_cannot_be(find, share: float | None) -> None:
    outcome, prober = find(ordinary, 93.0, part=off_by(0.2), share=share)
    assert prober.explorations == [] and outcome.stop.reason == "within-tolerance"
    assert prober.asked == find(ordinary, 93.0)[1].asked


def test_nothing_is_explored_once_something_was_verified(find) -> None:
    _, prober = find(ordinary, 93.0, part=off_by(0.2), share=0.0, cached={20.0: ordinary(20.0)})
    assert prober.explorations == [] and prober.asked


@pytest.mark.parametrize(("target", "tolerance"), [(93.0, 0.0), (99.99, 0.01)])
def test_nothing_is_explored_where_no_hit_is_to_be_expected(find, target: float, tolerance: float) -> None:
    assert find(ordinary, target, tolerance=tolerance, part=off_by(0.2), share=0.1)[1].explorations == []


def test_a_coarse_grid_that_steps_over_the_tolerance_is_not_explored_for_it(find) -> None:
    assert find(ordinary, 90.0, tolerance=0.05, step=2.0, part=off_by(0.0), share=0.3)[1].explorations == []


@pytest.mark.parametrize(("max_probes", "verifying"), [(1, 1), (2, 1), (3, 1)])
def test_a_probe_is_always_left_to_verify(find, max_probes: int, verifying: int) -> None:
    outcome, prober = find(ordinary, 93.0, part=off_by(2.0), share=0.0, max_probes=max_probes)
    assert len(prober.asked) >= verifying and outcome.best.purpose == "verify"
    assert len(prober.explorations) + len(prober.asked) <= max_probes


def test_explored_scores_of_the_cache_start_the_search(find) -> None:
    _, prober = find(ordinary, 93.0, part=off_by(0.1), share=CHEAP)
    explored = {crf: off_by(0.1)(crf) for crf in prober.explorations}
    assert explored
    again, prober = find(ordinary, 93.0, part=off_by(0.1), share=CHEAP, hints=explored)
    assert len(prober.explorations) <= 1 and not set(prober.explorations) & set(explored)
    assert [p.crf for p in again.probes if p.cached] == list(explored)
    assert again.stop.reason == "within-tolerance" and again.best.purpose == "verify" and len(prober.asked) <= 2


def test_an_explored_score_is_no_result_and_may_be_verified(find) -> None:
    outcome, prober = find(ordinary, 93.0, low=30.3, high=30.3, share=CHEAP, hints={30.3: 93.1})
    assert prober.asked == [30.3] and outcome.best.score == ordinary(30.3)
    assert [p.purpose for p in outcome.probes] == ["explore", "verify"]


def test_an_explored_score_outside_the_range_informs_and_is_not_told_of(find) -> None:
    outcome, _ = find(ordinary, 93.0, high=25.0, share=CHEAP, hints={30.3: 93.1})
    assert {p.crf for p in outcome.probes} <= set(np.arange(100, 251) / 10)
    assert outcome.best.crf == 25.0


def test_events_tell_what_is_explored_and_only_verified_scores_are_learned(find, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    requests: list[ProbeRequest] = []
    records: list[ProbeRecord] = []
    captures: list[Capture] = []

    def after(run: PluginRun, request: ProbeRequest, made: ProbeRecord) -> None:
        requests.append(request)
        records.append(made)

    monkeypatch.setattr(PluginRun, "after_probe", after)
    monkeypatch.setattr(PluginRun, "lessons", lambda run, curve, *score: captures.append(curve.capture(*score)) or [])
    outcome, prober = find(ordinary, 93.0, part=off_by(0.3), share=CHEAP)
    assert prober.explorations and records == outcome.probes
    assert [r.purpose for r in requests] == [r.purpose for r in records]
    assert [r.number for r in requests] == list(range(1, len(requests) + 1))
    assert [c.crf for c in captures] == prober.asked
    assert all(c.observed == ordinary(c.crf) for c in captures)

"""What a search promises, on curves of every shape."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmaftune.crf_search.strategy import REASONS, SURE


def ordinary(crf: float) -> float:
    return 99.0 - 0.012 * max(0.0, crf - 8) ** 2


@pytest.mark.parametrize("target", [85.0, 90.0, 93.0, 96.0])
def test_an_ordinary_curve_ends_within_tolerance_in_few_probes(find, target: float) -> None:
    outcome, prober = find(ordinary, target)
    assert outcome.stop.reason == "within-tolerance"
    assert target <= outcome.best.score <= target + 0.25
    assert len(prober.asked) <= 10


def test_a_curve_at_its_ceiling_ends_at_the_coarsest_crf(find) -> None:
    outcome, prober = find(lambda crf: 97.4)
    assert (outcome.stop.reason, outcome.best.crf) == ("coarsest-crf", 46.0)
    assert len(prober.asked) <= 5


def test_an_unreachable_target_names_the_crf_that_came_closest(find) -> None:
    outcome, _ = find(lambda crf: 90.0 - crf / 2, 95.0)
    assert not outcome.stop.met
    assert (outcome.stop.reason, outcome.best.crf, outcome.best.score) == ("unreachable", 10.0, 85.0)


def test_a_cliff_ends_at_its_edge(find) -> None:
    outcome, prober = find(lambda crf: 97.0 if crf <= 23.0 else 60.0)
    assert outcome.stop.met
    assert outcome.best.score == 97.0
    assert len(prober.asked) <= 10


def test_a_coarse_grid_ends_when_the_next_crf_is_known_to_miss(find) -> None:
    outcome, _ = find(lambda crf: 99.0 - crf * 0.7, 80.0, encoder="libvpx-vp9", tolerance=0.05)
    assert outcome.stop.reason in ("next-crf-misses", "next-crf-unlikely")
    assert outcome.best.score >= 80.0 > 99.0 - (outcome.best.crf + 1) * 0.7
    if outcome.stop.reason == "next-crf-unlikely":
        assert outcome.stop.probability is not None and outcome.stop.probability >= SURE


def test_one_allowed_crf_is_probed_once(find) -> None:
    outcome, prober = find(ordinary, 93.0, low=20, high=20)
    assert prober.asked == [20.0]
    assert outcome.stop.met == (ordinary(20) >= 93)


def test_a_curve_that_rises_first_as_svt_av1s_do_at_low_crf_is_searched_through(find) -> None:
    def rising(crf: float) -> float:
        return 89.0 + 0.7 * crf if crf < 15 else 99.5 - 0.02 * (crf - 15) ** 2

    outcome, _ = find(rising, 93.0, encoder="libsvtav1")
    assert outcome.stop.reason == "within-tolerance"
    assert outcome.best.crf > 30


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    knots=st.lists(st.floats(0, 100), min_size=3, max_size=9),
    target=st.floats(20, 99.5),
    tolerance=st.sampled_from([0.0, 0.1, 0.25, 1.0]),
    encoder=st.sampled_from(["libx264", "libsvtav1", "libaom-av1", "hevc_videotoolbox", "h264_nvenc"]),
)
def test_any_curve_at_all_ends_and_claims_only_what_was_measured(find, knots, target, tolerance, encoder) -> None:  # type: ignore[no-untyped-def]
    """Monotone or not: at most ten probes, no CRF twice, and every claim of the stop reason is true of the scores."""
    places = np.linspace(0, 100, len(knots))

    def curve(crf: float) -> float:
        return round(float(np.interp(crf, places, knots)), 6)

    outcome, prober = find(curve, target, encoder=encoder, tolerance=tolerance)
    assert len(prober.asked) == len(set(prober.asked)) <= 10
    assert outcome.best.score == curve(outcome.best.crf)
    assert outcome.stop.reason in REASONS
    assert outcome.stop.met == (outcome.best.score >= target)
    if not outcome.stop.met:
        assert all(curve(crf) < target for crf in prober.asked)
    if outcome.stop.reason == "within-tolerance":
        assert target <= outcome.best.score <= target + tolerance
    grid = outcome.report.crfs
    place = {crf: index for index, crf in enumerate(grid)}
    passing = [place[crf] for crf in prober.asked if curve(crf) >= target]
    if passing:
        assert place[outcome.best.crf] == max(passing), "the coarsest CRF that was verified is the result"
    if outcome.stop.reason == "next-crf-misses":
        assert curve(grid[place[outcome.best.crf] + 1]) < target


def test_cached_scores_start_the_search_and_may_end_it_without_a_probe(find) -> None:
    known = {crf: ordinary(crf) for crf in (20.0, 30.0, 30.3)}
    outcome, prober = find(ordinary, 93.0, cached=known)
    assert prober.asked == []
    assert outcome.best.cached and outcome.best.crf == 30.3
    again, prober = find(ordinary, 90.0, cached=known)
    assert again.stop.met and len(prober.asked) <= 5


def test_a_cached_score_off_the_grid_informs_but_is_no_result(find) -> None:
    outcome, _ = find(ordinary, 93.0, cached={30.333: ordinary(30.333)})
    assert outcome.stop.met
    assert math.isclose(outcome.best.crf * 10, round(outcome.best.crf * 10), abs_tol=1e-6)


def test_a_cached_score_outside_the_range_informs_but_is_no_result(find) -> None:
    outcome, _ = find(ordinary, 93.0, high=25.0, cached={30.3: ordinary(30.3)})
    assert (outcome.stop.reason, outcome.best.crf) == ("coarsest-crf", 25.0)


def test_an_encode_that_is_too_large_and_still_misses_ends_the_search(find) -> None:
    outcome, prober = find(ordinary, 98.9, max_percent=50.0, percent=lambda crf: 200 - 2 * crf)
    assert (outcome.stop.reason, outcome.stop.met) == ("too-large", False)
    assert len(prober.asked) == 1


def test_a_result_that_is_too_large_is_no_result(find) -> None:
    outcome, _ = find(ordinary, 93.0, max_percent=50.0, percent=lambda crf: 51.0 if ordinary(crf) >= 93 else 40.0)
    assert (outcome.stop.reason, outcome.stop.met) == ("too-large", False)
    assert outcome.best.score >= 93.0

"""Rate and quality of several encodes: interpolation, BD-rate, hull."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmaftune.contract import ProbeRecord
from vmaftune.jobs.rates import RatePoint, bd_rate, bitrate_at, hull, measured_points, rising


def _curve(factor: float = 1.0) -> list[RatePoint]:
    """VMAF is linear in the logarithm of the bitrate: 60 at ``factor`` x 1000 kb/s, 10 more for each doubling."""
    rates = [factor * 1000 * 2**n for n in range(4)]
    return [RatePoint(bitrate_kbps=rate, score=60.0 + 10 * n, crf=40.0 - 6 * n) for n, rate in enumerate(rates)]


def _probe(crf: float, vmaf: float, bitrate: float, purpose: str = "verify") -> ProbeRecord:
    return ProbeRecord(
        purpose=purpose,  # type: ignore[arg-type]
        crf=crf,
        score=vmaf,
        deviation=0.0,
        bitrate_kbps=bitrate,
        encoded_percent=1.0,
        encode_seconds=1.0,
        score_seconds=0.0,
        frames=10,
        cached=False,
    )


def test_only_verified_scores_are_points_and_each_stands_once() -> None:
    probes = [_probe(30, 80, 500), _probe(20, 95, 900), _probe(30, 80, 500), _probe(25, 88, 700, "explore")]
    assert [(p.crf, p.vmaf) for p in measured_points(probes)] == [(30, 80), (20, 95)]


def test_what_costs_more_and_scores_less_is_no_point_of_a_curve() -> None:
    points = measured_points([_probe(30, 80, 500), _probe(28, 79, 600), _probe(20, 95, 900)])
    assert [p.crf for p in rising(points)] == [30, 20]


def test_a_bitrate_between_measured_scores_is_linear_in_its_logarithm() -> None:
    assert bitrate_at(_curve(), 65.0) == pytest.approx(1000 * math.sqrt(2))
    assert bitrate_at(_curve(), 60.0) == pytest.approx(1000)


@pytest.mark.parametrize("vmaf", [59.9, 90.1])
def test_nothing_is_said_beyond_measured_scores(vmaf: float) -> None:
    assert bitrate_at(_curve(), vmaf) is None


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.25])
def test_the_bd_rate_of_a_curve_that_needs_a_share_of_the_bits_is_that_share(factor: float) -> None:
    assert bd_rate(_curve(), _curve(factor)) == pytest.approx(100 * (factor - 1), abs=1e-6)


def test_a_bd_rate_needs_four_points_and_common_quality() -> None:
    assert bd_rate(_curve(), _curve()[:3]) is None
    above = [RatePoint(bitrate_kbps=p.bitrate_kbps, score=p.score + 35, crf=p.crf) for p in _curve()]
    assert bd_rate(_curve(), above) is None


_POINTS = st.lists(
    st.tuples(st.floats(1.0, 1e4).map(lambda v: round(v, 2)), st.floats(0.0, 100.0).map(lambda v: round(v, 2))),
    min_size=1,
    max_size=30,
    unique=True,
)


@given(_POINTS)
def test_no_point_lies_above_the_hull_and_its_slope_falls(points: list[tuple[float, float]]) -> None:
    rates, scores = [r for r, _ in points], [v for _, v in points]
    kept = hull(rates, scores)
    corners = [points[n] for n in kept]
    assert corners == sorted(corners)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(corners)]
    assert all(slope > 0 for slope in slopes)
    assert all(one > two - 1e-9 for one, two in itertools.pairwise(slopes))
    for rate, score in points:
        assert score <= max(v for _, v in corners) + 1e-9
        for a, b in itertools.pairwise(corners):
            if a[0] <= rate <= b[0]:
                assert score <= a[1] + (b[1] - a[1]) * (rate - a[0]) / (b[0] - a[0]) + 1e-6

"""The posterior is the Gaussian conditional, whatever the order of the scores."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vmaftune.contract import Prediction
from vmaftune.crf_search.posterior import PART_NOISE_VMAF, SCORE_NOISE_VMAF, Posterior
from vmaftune.crf_search.prior import squared_exponential


def _prior(n: int = 30) -> Prediction:
    at = np.linspace(0, 1, n)
    return Prediction(mean=98 - 40 * at**2, covariance=36.0 * squared_exponential(at, 0.4))


@given(
    st.lists(st.tuples(st.integers(0, 29), st.floats(30, 100)), min_size=1, max_size=5, unique_by=lambda p: p[0]),
    st.randoms(),
)
@settings(max_examples=50, deadline=None)
def test_conditioning_one_by_one_in_any_order_is_the_batch_conditional(scores: list[tuple[int, float]], random) -> None:  # type: ignore[no-untyped-def]
    prior, posterior = _prior(), Posterior(_prior())
    shuffled = list(scores)
    random.shuffle(shuffled)
    for index, vmaf in shuffled:
        posterior.condition(index, vmaf)
    at = [index for index, _ in scores]
    observed = np.array([vmaf for _, vmaf in scores])
    inner = prior.covariance[np.ix_(at, at)] + SCORE_NOISE_VMAF**2 * np.eye(len(at))
    gain = np.linalg.solve(inner, prior.covariance[at]).T
    np.testing.assert_allclose(posterior.mean, prior.mean + gain @ (observed - prior.mean[at]), atol=1e-5)
    np.testing.assert_allclose(posterior.covariance, prior.covariance - gain @ prior.covariance[at], atol=1e-5)


@given(
    st.lists(st.tuples(st.integers(0, 29), st.floats(30, 100), st.booleans()), min_size=1, max_size=6),
    st.floats(0.05, 2.0),
    st.randoms(),
)
@settings(max_examples=100, deadline=None)
def test_a_part_observes_the_curve_and_an_offset_of_its_own(scores, deviation, random) -> None:  # type: ignore[no-untyped-def]
    """Against the batch conditional of curve and offset together, in any order."""
    prior, posterior = _prior(), Posterior(_prior())
    n = len(prior.mean)
    random.shuffle(scores)
    for index, vmaf, explored in scores:
        before = posterior.deviation_after_exploring(index, deviation)
        if explored:
            posterior.explore(index, vmaf, deviation)
            assert np.isclose(posterior.deviation()[index], before, atol=1e-6), "known before it was scored"
        else:
            posterior.condition(index, vmaf)
    observes = np.zeros((len(scores), n + 1))
    for row, (index, _, explored) in zip(observes, scores, strict=True):
        row[index], row[n] = 1.0, explored
    joint = np.zeros((n + 1, n + 1))
    joint[:n, :n], joint[n, n] = prior.covariance, deviation**2
    mean = np.append(prior.mean, 0.0)
    noise = [SCORE_NOISE_VMAF**2 + explored * PART_NOISE_VMAF**2 for *_, explored in scores]
    gain = np.linalg.solve(observes @ joint @ observes.T + np.diag(noise), observes @ joint).T
    observed = np.array([vmaf for _, vmaf, _ in scores])
    np.testing.assert_allclose(posterior.mean, (mean + gain @ (observed - observes @ mean))[:n], atol=1e-4)
    np.testing.assert_allclose(posterior.covariance, (joint - gain @ observes @ joint)[:n, :n], atol=1e-4)


def test_exploring_leaves_the_offset_open_and_verifying_the_same_place_closes_it() -> None:
    posterior = Posterior(_prior())
    posterior.explore(12, 90.0, 0.3)
    assert 0.28 < posterior.deviation()[12] < 0.33
    posterior.condition(12, 89.6)
    assert abs(posterior.mean[12] - 89.6) < 0.05
    posterior.explore(20, 80.0, 0.3)
    assert abs(posterior.mean[20] - 79.6) < 0.05, "the part scores 0.4 too high here too"
    assert posterior.deviation()[20] < 0.12


def test_a_scored_place_is_known_to_about_the_noise_and_others_less_well() -> None:
    posterior = Posterior(_prior())
    before = posterior.deviation()
    posterior.condition(12, 90.0)
    assert abs(posterior.mean[12] - 90.0) < 0.01
    assert posterior.deviation()[12] < 2 * SCORE_NOISE_VMAF
    assert (posterior.deviation() <= before + 1e-9).all()
    assert posterior.deviation()[29] > 1.0


def test_probabilities_of_below_between_and_above_make_one() -> None:
    posterior = Posterior(_prior())
    above = posterior.probability_between(93.25, 1e6)
    total = posterior.probability_below(93.0) + posterior.probability_between(93.0, 93.25) + above
    np.testing.assert_allclose(total, 1.0)

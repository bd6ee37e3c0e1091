"""The posterior is the Gaussian conditional, whatever the order of the scores."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vmaftune.search.posterior import SCORE_NOISE_VMAF, Posterior
from vmaftune.search.prior import squared_exponential
from vmaftune.types import Prediction


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

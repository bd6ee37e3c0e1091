"""Samples as rows: the place on the trained curves, and a reason for each that is left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from vmaftune_plugins.trainers.encoded import Encoding, LeftOut, is_held_out, source_of

from tests.models import build
from tests.trainers.conftest import SPECS
from vmaftune.models.choice import curve_weights
from vmaftune.models.predictor import open_model

CONTRACT = open_model(build.network(), "a network").contract
ENCODING = Encoding(CONTRACT, SPECS)
FEATURES = tuple(build.ORDINARY.tolist())


def row(encoder: str = "libx264", preset: str | None = "medium", crf: float = 23.0, **changes: Any) -> np.ndarray:
    given = {"features": FEATURES, "score": 90.0, **changes}
    return ENCODING.row(encoder, preset, crf, given["features"], given["score"])


def test_a_trained_curve() -> None:
    made = row()  # knots of libx264 medium: CRF 14, 23, 32, 41, 50
    assert made.dtype == np.float32 and made[-5:].tolist() == [1.0, 1.0, 0.0, 1.0, 90.0]
    assert made[:-5] == pytest.approx(FEATURES, rel=1e-6)


def test_a_zero_has_no_sign_so_a_source_is_one() -> None:
    with_zero, with_minus = ((value, *FEATURES[1:]) for value in (0.0, -0.0))
    assert source_of(row(features=with_zero)) == source_of(row(features=with_minus))


def test_a_preset_between_two_is_the_mixture_that_predictions_are() -> None:
    weights, _ = curve_weights(CONTRACT, SPECS["libx264"], "fast")
    first, second, share, place, _ = row(preset="fast", crf=30.0)[-5:]
    mixed = np.zeros(len(CONTRACT.curves))
    mixed[int(first)] += 1.0 - share
    mixed[int(second)] += share
    assert mixed == pytest.approx(weights, abs=1e-6)
    low, high = weights @ [(curve.low, curve.high) for curve in CONTRACT.curves]
    assert place == pytest.approx((30.0 - low) / (high - low) * (CONTRACT.knots - 1), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"encoder": "libnone"}, "unknown encoder"),
        ({"encoder": "libx265"}, "untrained encoder or preset"),
        ({"preset": "placebo"}, "untrained encoder or preset"),
        ({"preset": None}, "untrained encoder or preset"),
        ({"crf": 51.0}, "CRF beyond the curve"),
        ({"crf": math.nan}, "CRF beyond the curve"),
        ({"score": math.nan}, "score not 0 to 100"),
        ({"score": 100.5}, "score not 0 to 100"),
        ({"features": FEATURES[:-1]}, "other features"),
        ({"features": (*FEATURES[:-1], math.nan)}, "a feature that is no number"),
        ({"features": (1e39, *FEATURES[1:])}, "a feature that is no number"),
    ],
)
def test_what_is_left_out(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(LeftOut, match=f"^{why}$"):
        row(**changes)


def test_a_source_is_one_whatever_it_is_encoded_with() -> None:
    other_pilot = row("libsvtav1", "8", 30.0, features=(*FEATURES[:14], *(value + 1 for value in FEATURES[14:])))
    assert source_of(row()) == source_of(row(crf=40.0)) == source_of(other_pilot)
    assert source_of(row()) != source_of(row(features=(FEATURES[0] + 0.1, *FEATURES[1:])))


def test_about_the_share_of_the_sources_is_held_out() -> None:
    sources = [np.float32(number).tobytes() for number in range(4000)]
    held = [source for source in sources if is_held_out(source, 0.2)]
    assert 700 < len(held) < 900
    assert all(is_held_out(source, 0.3) for source in held), "a larger share holds the smaller one"

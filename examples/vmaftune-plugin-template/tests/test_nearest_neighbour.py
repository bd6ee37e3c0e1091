"""The predictor keeps vmaf-tune's contract, and knows what it claims to know."""

from __future__ import annotations

import numpy as np
import pytest
from vmaftune_plugin_template.known_sources import load
from vmaftune_plugin_template.nearest_neighbour import NearestNeighbour, Settings

from vmaftune.contract import CurveContext, EncoderSpec, Features, Unsupported
from vmaftune.testing import parametrize_with_checks


@parametrize_with_checks("nearest-neighbour")
def test_contract(check):
    check()


def context_of(values: tuple[float, ...], preset: str = "medium") -> CurveContext:
    known, _ = load()
    return CurveContext(
        features=Features(schema=known.feature_schema, values=values),
        encoder=EncoderSpec(name="libx264"),
        preset=preset,
        crfs=np.array(known.crfs),
    )


def test_a_known_source_gets_its_own_curve() -> None:
    source = load()[0].sources[0]
    prediction = NearestNeighbour(Settings()).predict(context_of(source.features))
    np.testing.assert_allclose(prediction.mean, source.vmaf, atol=0.01)


def test_a_strange_source_gets_a_wider_band() -> None:
    known = load()[0].sources[0].features
    predictor = NearestNeighbour(Settings())
    ordinary, strange = (predictor.predict(context_of(values)) for values in (known, tuple(9 * v for v in known)))
    assert (strange.covariance.diagonal() > ordinary.covariance.diagonal()).all()


def test_another_preset_is_left_to_others() -> None:
    with pytest.raises(Unsupported, match="only libx264 medium"):
        NearestNeighbour(Settings()).predict(context_of(load()[0].sources[0].features, preset="slow"))

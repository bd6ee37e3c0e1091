"""The predictor that comes with vmaf-tune."""

from __future__ import annotations

import numpy as np
import pytest
from vmaftune_plugins.predictors.mlp_settings import SHIPPED_MODEL

from vmaftune import models
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION
from vmaftune.models.predictor import CurveModel, open_model


@pytest.fixture(scope="module")
def shipped() -> tuple[models.RegisteredModel, CurveModel]:
    try:
        entry, content = models.load(SHIPPED_MODEL)
    except models.UnknownModel:
        pytest.skip(f"the registry that is shipped has no {SHIPPED_MODEL}")
    return entry, open_model(content, SHIPPED_MODEL)


def test_its_name_has_its_hash(shipped: tuple[models.RegisteredModel, CurveModel]) -> None:
    entry, _ = shipped
    assert entry.origin == "shipped" and entry.kind == "predictor" and entry.opset == 17 and not entry.smoke
    assert entry.version == f"{SHIPPED_MODEL}-{entry.sha256[:8]}"


def test_every_curve_of_an_ordinary_video_is_one(shipped: tuple[models.RegisteredModel, CurveModel]) -> None:
    entry, network = shipped
    contract = network.contract
    assert (contract.feature_schema, contract.features) == (SCHEMA_VERSION, NAMES)
    assert entry.encoders == tuple(f"{curve.encoder} {curve.preset or 'none'}" for curve in contract.curves)
    ordinary = np.array([scale.centre for scale in FEATURES.values()])
    for weights in np.eye(len(contract.curves)):
        mean, covariance = network.run(ordinary, weights)
        assert np.diff(mean).max() <= 0.0 and mean[0] > 92.0 and mean[-1] < 80.0
        assert np.linalg.eigvalsh(covariance)[0] >= -1e-4 and covariance.diagonal().min() > 0.0


def test_its_card_and_figures_tell_of_every_curve(shipped: tuple[models.RegisteredModel, CurveModel]) -> None:
    entry, _ = shipped
    assert entry.card is not None
    card = models.read(entry, entry.card).decode()
    assert all(f"| {name} |" in card and f"mae_vmaf {name}" in entry.metrics for name in entry.encoders)
    assert 0.0 < entry.metrics["mae_vmaf"] < 3.0

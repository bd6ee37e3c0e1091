"""The file says what torch and numpy say, by the contract, with plain operators only."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import onnx
import pytest

from tests.training.build import RANGES, SMALL, made_rows
from vmaftune.contract import FloatArray
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION
from vmaftune.corpus.rows import CorpusRow
from vmaftune.models.predictor import CurveModel, open_model
from vmaftune.training.export import OPERATORS
from vmaftune.training.network import falling, train
from vmaftune.training.predictor import TrainedPredictor, train_predictor
from vmaftune.training.uncertainty import Uncertainty


@pytest.fixture(scope="module")
def network(trained: TrainedPredictor) -> CurveModel:
    return open_model(trained.content, "the model")


def inputs() -> Iterator[FloatArray]:
    """Features of all sorts: ordinary ones, odd ones, and such as no video has."""
    random = np.random.default_rng(0)
    scales = FEATURES.values()
    centre, spread = (np.array([getattr(scale, name) for scale in scales]) for name in ("centre", "spread"))
    for distance in (0.0, 1.0, 5.0, 1000.0):
        yield from centre + distance * spread * random.standard_normal((10, len(centre)))
    yield from (0.0 * centre, 1e30 + centre)


def test_every_curve_is_that_of_torch(trained: TrainedPredictor, network: CurveModel) -> None:
    table = trained.table
    curves = falling(train(table, SMALL, [None], seed=1).curves[0].mean(axis=0))
    each = np.eye(len(table.curves))
    for line, which in enumerate(table.which):
        mean, _ = network.run(table.inputs[line, : len(NAMES)], each[which])
        assert mean == pytest.approx(curves[line], abs=1e-4)
    assert trained.difference_vmaf <= 1e-4


def test_every_covariance_is_that_of_numpy(trained: TrainedPredictor, network: CurveModel) -> None:
    for features in inputs():
        for place, weights in enumerate(np.eye(len(trained.table.curves))):
            mean, covariance = network.run(features, weights)
            assert covariance == pytest.approx(trained.uncertainty.covariance(mean, place), rel=1e-3, abs=1e-5)


def test_means_fall_and_covariances_are_ones(network: CurveModel) -> None:
    """Also between two curves."""
    for features in inputs():
        for share in (0.0, 0.3, 1.0):
            mean, covariance = network.run(features, np.array([share, 1.0 - share]))
            assert np.isfinite(mean).all() and mean.min() >= 0.0 and mean.max() <= 100.0
            assert np.diff(mean).max() <= 0.0
            assert (covariance == covariance.T).all() and covariance.diagonal().min() > 0.0
            eigenvalues = np.linalg.eigvalsh(covariance)
            assert eigenvalues[0] >= -1e-5 * eigenvalues[-1]


def test_operators_are_plain_and_of_opset_17(trained: TrainedPredictor) -> None:
    model = onnx.load_model_from_string(trained.content)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert {node.op_type for node in model.graph.node} == OPERATORS
    assert all(node.domain == "" for node in model.graph.node) and not model.functions


def test_the_contract_names_curves_and_features(network: CurveModel) -> None:
    contract = network.contract
    assert (contract.feature_schema, contract.features, contract.knots) == (SCHEMA_VERSION, NAMES, 37)
    curves = [(c.encoder, c.preset, c.low, c.high, c.sources) for c in contract.curves]
    assert curves == [("libsvtav1", "8", 5.0, 63.0, 18), ("libx264", "medium", 10.0, 46.0, 18)]


def test_an_encoder_without_presets_has_none_in_the_contract() -> None:
    trained = train_predictor(made_rows(encoders=[("libvpx-vp9", None)]), RANGES, seed=0, design=SMALL)
    (curve,) = open_model(trained.content, "the model").contract.curves
    assert (curve.encoder, curve.preset) == ("libvpx-vp9", None)


def test_a_feature_that_never_varied_has_no_say(rows: list[CorpusRow]) -> None:
    place = NAMES.index("bit_depth")

    def with_bits(features: tuple[float, ...], bits: float) -> tuple[float, ...]:
        return (*features[:place], bits, *features[place + 1 :])

    same = [msgspec.structs.replace(row, features=with_bits(row.features, 8.0)) for row in rows]
    model = open_model(train_predictor(same, RANGES, seed=0, design=SMALL).content, "the model")
    eight, ten = (model.run(np.array(with_bits(rows[0].features, bits)), np.eye(2)[0])[0] for bits in (8.0, 10.0))
    assert eight == pytest.approx(ten, abs=1e-3)


def test_the_covariance_of_a_curve_that_is_certain_somewhere_is_finite(rows: list[CorpusRow]) -> None:
    """At the finest CRF all videos have VMAF 100, and all are predicted to."""
    lossless = {
        encoder: min(row.crf for row in rows if row.encoder == encoder) for encoder in RANGES if "vp9" not in encoder
    }
    whole = [msgspec.structs.replace(r, vmaf_mean=100.0) if r.crf <= lossless[r.encoder] + 12 else r for r in rows]
    trained = train_predictor(whole, RANGES, seed=0, design=SMALL)
    model = open_model(trained.content, "the model")
    for weights in np.eye(2):
        _, covariance = model.run(np.array(rows[0].features), weights)
        assert np.isfinite(covariance).all() and np.linalg.eigvalsh(covariance)[0] > -1e-4


def test_deviations_follow_the_distance_to_the_ceiling() -> None:
    uncertainty = Uncertainty(
        lacking=np.array([-1.0, 5.0, 101.0]),
        spread=np.array([2.0, 1.0, 4.0]),
        scale=np.array([1.0, 2.0]),
        correlation=np.ones((2, 37, 37)),
    )
    deviation = uncertainty.deviation(np.array([[95.0], [95.0], [0.0]]), np.array([0, 1, 0]))
    assert deviation[:, 0] == pytest.approx([1.0, 2.0, 4.0 - 3.0 / 96.0])

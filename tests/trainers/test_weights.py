"""Weights out of an ONNX file and back: torch says what onnxruntime says, and nothing but weights is changed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import build
from tests.trainers.conftest import SPECS
from vmaftune import models
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import torch  # noqa: E402
from vmaftune_plugins.trainers.encoded import PLACE, SCORE, Encoding  # noqa: E402
from vmaftune_plugins.trainers.weights import Network  # noqa: E402

CONTENT = models.load("mlp_v1")[1]


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(CONTENT, "the shipped model")


@pytest.fixture(scope="module")
def encoded(network: Network, rows: list[CorpusRow]) -> np.ndarray:
    encoding = Encoding(network.contract, SPECS)
    made = [encoding.row(r.encoder, r.preset, r.crf, r.features, r.vmaf_mean) for r in rows[::23]]
    between = encoding.row("libx264", "fast", 25.0, rows[0].features, 90.0)  # a mixture of two curves
    return np.array([*made, between])


def test_the_same_weights_give_the_same_file(network: Network) -> None:
    assert network.file(network.theta) == CONTENT


def test_torch_says_what_onnxruntime_says(network: Network, encoded: np.ndarray) -> None:
    assert network.difference(network.theta, CONTENT, encoded) < 1e-4


def test_other_weights_go_into_the_file_and_nothing_else_does(network: Network, encoded: np.ndarray) -> None:
    random = np.random.default_rng(0)
    theta = network.theta + random.normal(0.0, 0.2, len(network.theta)).astype(np.float32)
    content = network.file(theta)
    assert network.difference(theta, content, encoded) < 1e-4
    assert network.difference(network.theta, content, encoded) > 1.0
    before, after = onnx.load_from_string(CONTENT), onnx.load_from_string(content)
    onnx.checker.check_model(after, full_check=True)
    changed = {a.name for a, b in zip(before.graph.initializer, after.graph.initializer, strict=True) if a != b}
    assert changed == {slot.name for slot in network.slots}
    assert (before.graph.node, before.metadata_props, before.opset_import) == (
        (after.graph.node, after.metadata_props, after.opset_import)
    )
    assert (Network(content, "again").theta == theta).all()


def test_a_weight_that_is_no_number_is_a_difference(network: Network, encoded: np.ndarray) -> None:
    theta = network.theta.copy()
    theta[7] = np.nan
    assert network.difference(theta, network.file(theta), encoded) == np.inf


def test_scores_are_linear_between_knots_and_match_the_file(network: Network, encoded: np.ndarray) -> None:
    said = network.predicted(network.theta, encoded)
    assert np.abs(said - encoded[:, SCORE]).mean() < 2.0
    rows = np.repeat(encoded[:1], 3, axis=0)
    rows[:, PLACE] = [7.0, 7.25, 8.0]
    left, inside, right = network.predicted(network.theta, rows)
    assert inside == pytest.approx(0.75 * left + 0.25 * right, abs=1e-4) and left > right


def test_a_curve_that_is_clipped_can_still_be_pulled_down(network: Network, encoded: np.ndarray) -> None:
    theta = torch.from_numpy(network.theta + 0.0)
    at = next(slot for slot in network.slots if slot.name == "bias")
    theta[at.begin : at.end] += 60.0
    theta.requires_grad_()
    scores = network.scores(theta, network.tensor(encoded))
    assert float(scores.detach().max()) == 100.0
    scores.sum().backward()
    assert theta.grad is not None and float(theta.grad[at.begin : at.end].sum()) == pytest.approx(
        len(encoded), rel=1e-3
    )


def test_a_predictor_of_another_make_cannot_be_trained() -> None:
    with pytest.raises(UserError, match="model x was not made by 'vmaf-tune train predictor'"):
        Network(build.network(), "model x")

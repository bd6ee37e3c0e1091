"""The file says what torch says, from raw features, with plain operators of opset 17."""

from __future__ import annotations

import msgspec
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.tiny.build import made_table
from vmaftune.errors import VmafTuneError
from vmaftune.models.full_reference import CANONICAL_6, TinyModel
from vmaftune.tiny import export
from vmaftune.tiny.architectures import ARCHITECTURES
from vmaftune.tiny.evaluate import said_of
from vmaftune.tiny.export import OPERATORS, check_same, to_onnx
from vmaftune.tiny.folds import Fold, clip_places
from vmaftune.tiny.recipes import RECIPES
from vmaftune.tiny.train import Trained, train

TABLE = made_table(3, 3)


def trained(architecture: str, recipe: str = "v2") -> Trained:
    few = msgspec.structs.replace(RECIPES[recipe], epochs=2)
    return train(TABLE, [Fold()], ARCHITECTURES[architecture], few, seed=0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_onnxruntime_says_what_torch_says(architecture: str) -> None:
    found = trained(architecture)
    content = to_onnx(found.networks[0], scaler=True, clip=True)
    assert said_of(TinyModel(content, "it"), TABLE) == pytest.approx(found.fitted, abs=1e-4)
    for places in clip_places(TABLE):
        assert check_same(content, found.networks[0], TABLE.features[places], clip=True) < 1e-4


@pytest.mark.parametrize("architecture", ["mlp_small", "attention"])
def test_the_file_is_plain(architecture: str) -> None:
    content = to_onnx(trained(architecture).networks[0], scaler=True, clip=True)
    model = onnx.load_model_from_string(content)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert {node.op_type for node in model.graph.node} <= OPERATORS and not model.functions
    assert [node.op_type for node in model.graph.node][:2] == ["Sub", "Div"]
    (given,), (said,) = model.graph.input, model.graph.output
    assert [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim] == ["frames", 6]
    assert [d.dim_param or d.dim_value for d in said.type.tensor_type.shape.dim] == ["frames", 1]
    assert content == to_onnx(trained(architecture).networks[0], scaler=True, clip=True), "the same bytes"


def test_the_scaler_is_that_of_the_frames() -> None:
    model = onnx.load_model_from_string(to_onnx(trained("mlp_small").networks[0], scaler=True, clip=True))
    held = {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}
    assert held["mean"] == pytest.approx(TABLE.features.mean(axis=0), rel=1e-6)
    assert held["spread"] == pytest.approx(TABLE.features.std(axis=0), rel=1e-6)


def test_v1_has_no_scaler_and_no_clip() -> None:
    found = trained("mlp_small", "v1")
    content = to_onnx(found.networks[0], scaler=False, clip=False)
    operators = [node.op_type for node in onnx.load_model_from_string(content).graph.node]
    assert operators == ["Gemm", "Relu", "Gemm", "Relu", "Gemm"]
    assert said_of(TinyModel(content, "it"), TABLE) == pytest.approx(found.fitted, abs=1e-3)


def test_the_contract_is_in_the_file() -> None:
    contract = TinyModel(to_onnx(trained("attention").networks[0], scaler=True, clip=True), "it").contract
    assert contract is not None and contract.features == CANONICAL_6 and contract.kind == "fr"
    assert (contract.architecture, contract.parameters, contract.window) == ("attention", 17025, 5)


def test_a_score_depends_on_the_window_alone() -> None:
    """attention sees two frames to each side; an MLP none."""
    features = TABLE.features[:24]
    for architecture, reach in (("mlp_small", 0), ("attention", 2)):
        model = TinyModel(to_onnx(trained(architecture).networks[0], scaler=True, clip=False), "it")
        changed = features.copy()
        changed[12] *= 0.7
        differs = np.flatnonzero(np.abs(model.scores(changed) - model.scores(features)) > 1e-4)
        assert set(differs) == set(range(12 - reach, 13 + reach))


def test_a_file_that_says_something_else_is_not_published() -> None:
    network = trained("mlp_small").networks[0]
    content = to_onnx(network, scaler=True, clip=True)
    with torch.no_grad():
        network.parameters[-1] += 1e-3
    with pytest.raises(VmafTuneError, match=r"onnxruntime and torch differ by 0\.001 VMAF: the model is not written"):
        check_same(content, network, TABLE.features[TABLE.scores < 90], clip=True)


def test_an_operator_that_is_not_plain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "OPERATORS", OPERATORS - {"Relu"})
    with pytest.raises(VmafTuneError, match="has operators that are not plain: Relu"):
        to_onnx(trained("mlp_small").networks[0], scaler=True, clip=True)

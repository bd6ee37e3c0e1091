"""From a trained network to one ONNX file of opset 17: scaler, network and clip in the graph, plain operators only."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import torch

from vmaftune.contract.curves import FloatArray
from vmaftune.errors import VmafTuneError
from vmaftune.models.full_reference import CANONICAL_6, Contract, TinyModel
from vmaftune.models.predictor import METADATA_KEY
from vmaftune.tiny.network import Networks
from vmaftune.training.graph import Graph

OPERATORS = frozenset(
    (
        *("Add", "Clip", "Concat", "Div", "Gemm", "Mul", "Pad", "ReduceSum"),
        *("Relu", "Slice", "Softmax", "Sub", "Unsqueeze"),
    )
)
"""All that a tiny model may be made of."""

TOLERANCE = 1e-5 + 4 * float(np.spacing(np.float32(100.0)))
"""By how many VMAF onnxruntime and torch may differ: 1e-5, and four steps of float32 at VMAF 100, which are 8e-6 each."""

_FURTHEST = 2**63 - 1


def to_onnx(network: Networks, *, scaler: bool, clip: bool) -> bytes:
    """The model file; input ``features``, raw canonical-6, shape (n, 6); output ``vmaf``, shape (n, 1); float32.

    Args:
        network: one, its target's scale folded in (Networks.one).
        scaler: standardise the input: Sub and Div in front of the network.
        clip: clip the score to 0 to 100.

    Raises:
        VmafTuneError: an operator is not plain, or onnx finds the model wrong.
    """
    graph, architecture = Graph(), network.architecture
    left = [parameter[0].detach().numpy() for parameter in network.parameters]
    hidden = "features"
    if scaler:
        (scale,) = network.scales
        graph("Sub", "centred", hidden, graph.constant("mean", scale.mean))
        hidden = graph("Div", "scaled", "centred", graph.constant("spread", scale.spread))
    for n, _ in enumerate(architecture.encoder[1:]):
        weight, bias, *left = left
        hidden = graph("Relu", f"hidden_{n}", _linear(graph, f"layer_{n}", hidden, weight, bias))
    if architecture.neighbours:
        alike, taken, weight, bias, *left = left
        graph("Gemm", "query", hidden, graph.constant("alike", alike / math.sqrt(alike.shape[0])))
        pooled = _attended(graph, hidden, "query", architecture.neighbours)
        graph("Gemm", "taken", pooled, graph.constant("taken_weight", taken))
        graph("Add", "in_context", hidden, "taken")
        hidden = graph("Relu", "hidden_context", _linear(graph, "context", "in_context", weight, bias))
    weight, bias = left
    _linear(graph, "score" if clip else "vmaf", hidden, weight, bias)
    if clip:
        graph(
            "Clip",
            "vmaf",
            "score",
            *(graph.constant(name, np.array(at)) for name, at in (("least", 0.0), ("most", 100.0))),
        )
    contract = Contract(architecture=architecture.name, parameters=architecture.parameters, window=architecture.window)
    metadata = {METADATA_KEY: msgspec.json.encode(contract).decode()}
    given, said = {"features": ("frames", len(CANONICAL_6))}, {"vmaf": ("frames", 1)}
    return graph.model(f"vmaf-tune {architecture.name}", given, said, metadata, OPERATORS)


def check_same(content: bytes, network: Networks, features: FloatArray, *, clip: bool) -> float:
    """The largest difference between onnxruntime and torch on the frames of one clip, at once and one alone, in VMAF.

    Args:
        features: raw canonical-6 of the frames in their order, shape (n, 6).

    Raises:
        VmafTuneError: it is more than TOLERANCE allows; such a model is not to be published.
    """
    model = TinyModel(content, "the exported model")
    largest = 0.0
    for frames in (features, features[:1]):
        wanted = network.vmaf(_beside(frames, network.architecture.neighbours), clip=clip)[0].numpy()
        difference = np.abs(model.scores(frames) - wanted)
        if (difference > TOLERANCE).any():
            raise VmafTuneError(
                f"onnxruntime and torch differ by {difference.max():.2g} VMAF: the model is not written"
            )
        largest = max(largest, float(difference.max(initial=0.0)))
    return largest


def _beside(frames: FloatArray, neighbours: int) -> torch.Tensor:
    """Frames (n, 6) of one clip with those beside them, shape (n, window, 6)."""
    places = np.arange(len(frames))[:, None] + np.arange(-neighbours, neighbours + 1)
    return torch.tensor(frames[np.clip(places, 0, len(frames) - 1)], dtype=torch.float32)


def _linear(graph: Graph, name: str, given: str, weight: np.ndarray, bias: np.ndarray) -> str:
    return graph("Gemm", name, given, graph.constant(f"{name}_weight", weight), graph.constant(f"{name}_bias", bias[0]))


def _attended(graph: Graph, frames: str, query: str, neighbours: int) -> str:
    """Mean of each frame's encoding and those beside it, weighted by how alike they are; the ends are repeated."""
    window = 2 * neighbours + 1
    graph("Pad", "padded", frames, graph.constant("pads", np.array([neighbours, 0, neighbours, 0])), mode="edge")
    axis, along = graph.constant("rows", np.array([0])), graph.constant("across", np.array([1]))
    parts = []
    for n in range(window):
        end = n + 1 - window or _FURTHEST
        places = [graph.constant(f"{what}_{n}", np.array([at])) for what, at in (("from", n), ("to", end))]
        parts.append(graph("Unsqueeze", f"beside_{n}", graph("Slice", f"slice_{n}", "padded", *places, axis), along))
    graph("Concat", "window", *parts, axis=1)
    graph("Mul", "products", "window", graph("Unsqueeze", "query_once", query, along))
    graph("ReduceSum", "alike_each", "products", graph.constant("units", np.array([2])), keepdims=1)
    graph("Softmax", "attention", "alike_each", axis=1)
    graph("Mul", "weighted", "window", "attention")
    return graph("ReduceSum", "pooled", "weighted", along, keepdims=0)

"""Small real ONNX files that keep the contract of a predictor, or break it in one place, and entries for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vmaftune import models
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION
from vmaftune.models import ModelEntry

KNOTS = 5
CURVES: tuple[tuple[str, str | None, float, float], ...] = (
    ("libx264", "veryfast", 10.0, 46.0),
    ("libx264", "medium", 14.0, 50.0),
    ("libsvtav1", "8", 5.0, 65.0),
    ("own_encoder", None, 10.0, 40.0),
)
"""Encoder, preset, CRF of the first and the last knot."""

ORDINARY = np.array([scale.centre for scale in FEATURES.values()])

Change = Callable[[onnx.ModelProto], None]


def means() -> np.ndarray:
    """VMAF at the knots where all features are 0, shape (m, K)."""
    return np.array([np.linspace(97 - i, 60 - 5 * i, KNOTS) for i in range(len(CURVES))])


def slopes() -> np.ndarray:
    """VMAF for each unit of a feature at every knot, another for each feature: shape (d,)."""
    return 1e-4 * np.arange(1, len(NAMES) + 1)


def covariances() -> np.ndarray:
    """VMAF squared, shape (m, K, K)."""
    at = np.arange(KNOTS)
    smooth = np.exp(-np.abs(at[:, None] - at[None, :]) / 2.0)
    return np.array([(i + 1) * smooth * np.outer(1 + at, 1 + at) for i in range(len(CURVES))])


def contract(**fields: Any) -> dict[str, Any]:
    """The metadata, with ``fields`` in place of the right ones."""
    curves = [{"encoder": e, "preset": p, "low": low, "high": high, "sources": 9} for e, p, low, high in CURVES]
    right = {"contract": 1, "opset": 17, "feature_schema": SCHEMA_VERSION, "features": NAMES, "knots": KNOTS}
    return {**right, "curves": curves, **fields}


def network(
    change: Change | None = None,
    *,
    metadata: object = None,
    opset: int = 17,
    mean: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
) -> bytes:
    """An ONNX file: mean = features . slopes + curve . means, covariance = curve . covariances.

    Args:
        change: done to the model before it is written.
        metadata: in place of ``contract()``; a text as it is.
        opset: that it declares.
        mean, covariance: in place of ``means()`` and ``covariances()``.
    """
    mean = means() if mean is None else mean
    covariance = covariances() if covariance is None else covariance
    m, k = mean.shape
    constants = {
        "slopes": np.tile(slopes()[:, None], (1, k)),
        "means": mean,
        "covariances": covariance.reshape(m, k * k),
    }
    initializers = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in constants.items()]
    shape = numpy_helper.from_array(np.array([1, k, k], dtype=np.int64), "shape")
    nodes = [
        helper.make_node("MatMul", ["features", "slopes"], ["shift"]),
        helper.make_node("MatMul", ["curve", "means"], ["bare"]),
        helper.make_node("Add", ["bare", "shift"], ["mean"]),
        helper.make_node("MatMul", ["curve", "covariances"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["covariance"]),
    ]
    ports = {"features": [1, len(NAMES)], "curve": [1, m], "mean": [1, k], "covariance": [1, k, k]}
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in ports.items()]
    graph = helper.make_graph(nodes, "curves", infos[:2], infos[2:], [*initializers, shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    text = metadata if isinstance(metadata, str) else json.dumps(contract() if metadata is None else metadata)
    helper.set_model_props(model, {"vmaftune": text})
    if change is not None:
        change(model)
    content: bytes = model.SerializeToString()
    return content


def entry(
    model_id: str, content: bytes, *, data: bytes = b"rows\n", card: bytes | None = None, **fields: Any
) -> tuple[ModelEntry, dict[str, bytes]]:
    """An entry and its files, as ``register`` takes them; ``fields`` in place of the usual ones."""
    files = {f"{model_id}.onnx": content, f"{model_id}.rows": data}
    if card is not None:
        files[f"{model_id}.md"] = card
    usual = {
        "kind": "predictor",
        "file": f"{model_id}.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "encoders": tuple(" ".join(filter(None, curve[:2])) for curve in CURVES),
        "data": f"{model_id}.rows",
        "data_sha256": hashlib.sha256(data).hexdigest(),
        "licence": "Apache-2.0",
        "opset": 17,
        "card": f"{model_id}.md" if card is not None else None,
    }
    return ModelEntry(id=model_id, **{**usual, **fields}), files


def register(folder: Path, model_id: str, content: bytes | None = None, **fields: Any) -> ModelEntry:
    """Register a network, a right one unless it is given."""
    return models.register(folder, *entry(model_id, network() if content is None else content, **fields))


def renamed(name: str, to: str) -> Change:
    """Give an input or output another name."""

    def change(model: onnx.ModelProto) -> None:
        graph = model.graph
        for port in (*graph.input, *graph.output):
            port.name = to if port.name == name else port.name
        for node in graph.node:
            for names in (node.input, node.output):
                for i, used in enumerate(names):
                    names[i] = to if used == name else used

    return change


def declared(side: str, name: str, shape: Sequence[int | str]) -> Change:
    """Let an input or output be declared in another shape."""

    def change(model: onnx.ModelProto) -> None:
        port = next(port for port in getattr(model.graph, side) if port.name == name)
        port.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    return change

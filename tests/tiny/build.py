"""A made-up teacher, smooth as the real one is, and tables of frames that it has scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from vmaftune.contract import FloatArray
from vmaftune.tiny.table import FrameTable

FRAMES = 24


def teacher(features: FloatArray) -> FloatArray:
    """VMAF-like scores, clipped as libvmaf clips its own; shape (n,)."""
    adm, vif, motion = features[:, 0], features[:, 1:5].mean(axis=1), features[:, 5]
    return np.clip(140.0 * adm**2 * (0.3 + 0.7 * vif) - 30.0 + 0.4 * np.sqrt(motion), 0.0, 100.0)


def made_table(sources: int = 6, clips: int = 4, *, frames: int = FRAMES, seed: int = 0) -> FrameTable:
    """Frames of sources with another look each, at several qualities."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(sources):
        look, motion = random.uniform(0.9, 1.0, 5), random.uniform(0.0, 15.0)
        for quality in np.linspace(0.35, 1.0, clips):
            drift = random.normal(0.0, 0.01, (frames, 5)).cumsum(axis=0) * 0.2
            rows.append(np.column_stack([quality * look + drift, np.abs(motion + random.normal(0.0, 0.3, frames))]))
    features = np.concatenate(rows)
    count = sources * clips
    return FrameTable(
        features=features,
        scores=teacher(features),
        clips=np.repeat(np.arange(count), frames),
        clip_names=tuple(f"S{n // clips}_{n % clips}_90_100" for n in range(count)),
        sources=np.repeat(np.arange(count) // clips, frames),
        source_names=tuple(f"S{n}" for n in range(sources)),
        frames=np.tile(np.arange(frames), count),
    )


def plane(
    slope: float = 1.0, *, inputs: int = 6, rows: str | int = "frames", output: Sequence[str | int] = ("frames", 1)
) -> bytes:
    """A small ONNX model: 10 * slope * (the sum of all features but motion) + 40."""
    weight = np.array([[10.0 * slope]] * (inputs - 1) + [[0.0]], dtype=np.float32)
    nodes = [helper.make_node("Gemm", ["given", "weight", "bias"], ["sum"])]
    nodes.append(helper.make_node("Reshape", ["sum", "shape"], ["said"]))
    shape = [-1] if len(output) == 1 else [-1, 1]
    constants = {"weight": weight, "bias": np.array([40.0], np.float32), "shape": np.array(shape)}
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        for name, shape in (("given", (rows, inputs)), ("said", output))
    ]
    graph = helper.make_graph(nodes, "plane", ports[:1], ports[1:], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def mixed(table: FrameTable, order: Sequence[int] | np.ndarray) -> FrameTable:
    """The same frames in another order."""
    return FrameTable(
        features=table.features[order],
        scores=table.scores[order],
        clips=table.clips[order],
        clip_names=table.clip_names,
        sources=table.sources[order],
        source_names=table.source_names,
        frames=table.frames[order],
    )

"""From trained weights to one ONNX file: scaler, network and covariance in the graph, only plain operators of opset 17."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np

from vmaftune.contract.features import NAMES, SCHEMA_VERSION
from vmaftune.features.pilot import FAMILIES
from vmaftune.models.predictor import CONTRACT, METADATA_KEY, Contract, TrainedCurve
from vmaftune.models.session import OPSET
from vmaftune.training.graph import Graph
from vmaftune.training.network import FIRST_PILOT, LARGEST_SCALED, Scaler, Weights
from vmaftune.training.table import KNOTS, PILOT_SCORES, Table
from vmaftune.training.uncertainty import Uncertainty

OPERATORS = frozenset(
    ("Add", "Clip", "Concat", "Div", "Gather", "Log", "MatMul", "Mul", "ReduceMax", "Reshape", "Slice", "Sub", "Tanh")
)
"""All that a predictor is made of."""

_NEVER = -1.0e4


def to_onnx(weights: Weights, uncertainty: Uncertainty, table: Table) -> bytes:
    """The model file, by the contract of vmaftune.models.predictor.

    All members are one network: their hidden units stand side by side and their heads are averaged.
    """
    graph = Graph()
    scaled = _scale(graph, weights.scaler, np.array([curve.family for curve in table.curves]))
    mean = _mean(graph, weights, scaled, len(table.curves))
    _covariance(graph, uncertainty, mean)
    shapes = {"mean": [1, KNOTS], "covariance": [1, KNOTS, KNOTS]}
    inputs = {"features": [1, len(NAMES)], "curve": [1, len(table.curves)]}
    metadata = {METADATA_KEY: msgspec.json.encode(_contract(table)).decode()}
    return graph.model("vmaf-tune predictor", inputs, shapes, metadata, OPERATORS)


def _contract(table: Table) -> Contract:
    return Contract(
        contract=CONTRACT,
        opset=OPSET,
        feature_schema=SCHEMA_VERSION,
        features=NAMES,
        knots=KNOTS,
        curves=tuple(
            TrainedCurve(
                encoder=curve.encoder,
                preset=curve.preset,
                low=curve.low,
                high=curve.high,
                sources=len({s for s, which in zip(table.sources, table.which, strict=True) if which == place}),
            )
            for place, curve in enumerate(table.curves)
        ),
    )


def _scale(graph: Graph, scaler: Scaler, families: np.ndarray) -> str:
    """network_inputs and Scaler.__call__, in the graph; shape (1, expanded)."""
    pilots = graph.constant("pilot_places", np.array([NAMES.index(name) for name in PILOT_SCORES]))
    graph("Gather", "pilot_scores", "features", pilots, axis=1)
    graph("Sub", "lacking", graph.constant("ceiling", np.array(100.0)), "pilot_scores")
    zero, hundred = graph.constant("zero", np.array(0.0)), graph.constant("hundred", np.array(100.0))
    graph("Clip", "lacking_bounded", "lacking", zero, hundred)
    graph("Add", "lacking_plus_one", "lacking_bounded", graph.constant("one", np.array(1.0)))
    graph("Log", "lacking_log", "lacking_plus_one")
    graph("Concat", "inputs", "features", "lacking_log", axis=1)
    one_hot = np.eye(len(FAMILIES))[families]
    graph("MatMul", "family", "curve", graph.constant("family_of_curve", one_hot))
    graph("MatMul", "centre", "family", graph.constant("scaler_mean", scaler.mean))
    graph("MatMul", "spread", "family", graph.constant("scaler_spread", scaler.spread))
    graph("Sub", "centred", "inputs", "centre")
    graph("Div", "divided", "centred", "spread")
    bound = LARGEST_SCALED
    low, high = graph.constant("least", np.array(-bound)), graph.constant("most", np.array(bound))
    graph("Clip", "scaled", "divided", low, high)
    width = scaler.mean.shape[1]
    axis = graph.constant("second_axis", np.array([1]))
    places = [graph.constant(f"place_{n}", np.array([n])) for n in (0, FIRST_PILOT, width)]
    parts = [graph("Slice", "cheap", "scaled", places[0], places[1], axis)]
    graph("Slice", "pilot", "scaled", places[1], places[2], axis)
    for family, name in enumerate(FAMILIES):
        own = graph.constant(f"is_{name}", np.eye(len(FAMILIES))[:, [family]])
        graph("MatMul", f"share_{name}", "family", own)
        parts.append(graph("Mul", f"pilot_{name}", "pilot", f"share_{name}"))
    signs = np.arange(len(FAMILIES))[:, None] * 2.0 - 1.0
    parts.append(graph("MatMul", "which_family", "family", graph.constant("family_sign", signs)))
    return graph("Concat", "expanded", *parts, axis=1)


def _mean(graph: Graph, weights: Weights, scaled: str, curves: int) -> str:
    """The members' average curve, made to fall and kept within 0 to 100; shape (1, KNOTS)."""
    members = len(weights.bias)

    def flat(per_curve: np.ndarray) -> np.ndarray:
        """(curves, x, KNOTS) to (x, curves * KNOTS)."""
        return np.moveaxis(per_curve, 0, 1).reshape(per_curve.shape[1], -1)

    graph("MatMul", "straight", scaled, graph.constant("straight_weight", flat(weights.straight.mean(axis=0))))
    total = graph("Add", "all_0", "straight", graph.constant("bias", weights.bias.mean(axis=0).reshape(1, -1)))
    hidden = scaled
    for depth, (layer, bias) in enumerate(weights.layers):
        side_by_side = np.concatenate(list(layer), axis=1) if depth == 0 else _block_diagonal(layer)
        graph("MatMul", f"hidden_in_{depth}", hidden, graph.constant(f"hidden_weight_{depth}", side_by_side))
        own = graph.constant(f"hidden_bias_{depth}", bias.reshape(1, -1))
        graph("Add", f"hidden_sum_{depth}", f"hidden_in_{depth}", own)
        hidden = graph("Tanh", f"hidden_{depth}", f"hidden_sum_{depth}")
    if weights.layers:
        heads = np.concatenate([flat(head) for head in weights.heads / members], axis=0)
        graph("MatMul", "heads_out", hidden, graph.constant("heads", heads))
        total = graph("Add", "all_1", total, "heads_out")
    graph("Reshape", "each_curve", total, graph.constant("curves_by_knots", np.array([curves, KNOTS])))
    graph("MatMul", "raw", "curve", "each_curve")
    # The highest from each knot on: what lies before it is put out of the question.
    before = np.tril(np.full((KNOTS, KNOTS), _NEVER), -1)
    graph("Add", "from_here", "raw", graph.constant("not_before", before))
    graph("ReduceMax", "highest", "from_here", axes=[1], keepdims=0)
    graph("Reshape", "falling", "highest", graph.constant("mean_shape", np.array([1, KNOTS])))
    return graph("Clip", "mean", "falling", "zero", "hundred")


def _block_diagonal(blocks: np.ndarray) -> np.ndarray:
    """(members, in, out) to (members * in, members * out): no member sees another's units."""
    members, wide, narrow = blocks.shape
    matrix = np.zeros((members * wide, members * narrow), dtype=blocks.dtype)
    for n, block in enumerate(blocks):
        matrix[n * wide : (n + 1) * wide, n * narrow : (n + 1) * narrow] = block
    return matrix


def _covariance(graph: Graph, uncertainty: Uncertainty, mean: str) -> str:
    """Uncertainty.covariance, in the graph; shape (1, KNOTS, KNOTS)."""
    lacking, spread = uncertainty.lacking, uncertainty.spread
    graph("Sub", "to_ceiling", "ceiling", mean)
    # A piecewise linear function is a sum of ramps, each from one level to the next.
    total = graph.constant("spread_least", np.array(spread[0]))
    for n, (low, high) in enumerate(itertools.pairwise(lacking)):
        graph("Clip", f"ramp_{n}", "to_ceiling", graph.constant(f"low_{n}", low), graph.constant(f"high_{n}", high))
        graph("Sub", f"along_{n}", f"ramp_{n}", f"low_{n}")
        slope = (spread[n + 1] - spread[n]) / (high - low)
        graph("Mul", f"rise_{n}", f"along_{n}", graph.constant(f"slope_{n}", np.array(slope)))
        total = graph("Add", f"spread_{n}", total, f"rise_{n}")
    graph("MatMul", "scale", "curve", graph.constant("scale_of_curve", uncertainty.scale[:, None]))
    graph("Mul", "deviation", total, "scale")
    graph("Reshape", "down", "deviation", graph.constant("column", np.array([1, KNOTS, 1])))
    graph("Reshape", "across", "deviation", graph.constant("row", np.array([1, 1, KNOTS])))
    flat = uncertainty.correlation.reshape(len(uncertainty.correlation), -1)
    graph("MatMul", "correlation_flat", "curve", graph.constant("correlation_of_curve", flat))
    graph("Reshape", "correlation", "correlation_flat", graph.constant("matrix", np.array([1, KNOTS, KNOTS])))
    graph("Mul", "products", "down", "across")
    return graph("Mul", "covariance", "products", "correlation")

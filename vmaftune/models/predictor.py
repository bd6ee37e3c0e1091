"""A network that gives curves: its contract, checked when it is opened, and its call.

Inputs, float32: ``features`` (1, d), raw, in the units of vmaftune.contract.features and without NaN; ``curve`` (1, m), weights
over the curves that were trained, summing to 1. Outputs, float32: ``mean`` (1, K), VMAF at K knots, never rising;
``covariance`` (1, K, K), VMAF squared, symmetric and positive semi-definite.
The file's metadata holds ``Contract`` as JSON under the key ``vmaftune``.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.errors import VmafTuneError
from vmaftune.models.session import OPSET, one_line, open_session

CONTRACT = 1
METADATA_KEY = "vmaftune"

_LEAST_KNOTS = 2
_FLOAT32 = "tensor(float)"


class TrainedCurve(msgspec.Struct, frozen=True, kw_only=True):
    """One encoder at one preset.

    Attributes:
        encoder, preset: which; the preset is None where the encoder has none.
        low, high: CRF of its first and last knot; knots are evenly spaced.
        sources: how many sources it was trained on.
    """

    encoder: str
    preset: str | None
    low: float
    high: float
    sources: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"the knots of {self.encoder} go from CRF {self.low:g} to {self.high:g}")


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What a network says of itself in its metadata.

    Attributes:
        contract: version of this.
        opset: of ONNX.
        feature_schema, features: version and names of the d features, in their order.
        knots: K, of every curve.
        curves: the m curves, in the order of their weights.
    """

    contract: int
    opset: int
    feature_schema: int
    features: tuple[str, ...]
    knots: int
    curves: tuple[TrainedCurve, ...]

    def __post_init__(self) -> None:
        if self.contract != CONTRACT:
            raise ValueError(f"it keeps contract {self.contract}, this vmaf-tune knows {CONTRACT}")
        if self.opset != OPSET:
            raise ValueError(f"opset {self.opset} is not {OPSET}")
        if self.knots < _LEAST_KNOTS:
            raise ValueError(f"a curve of {self.knots} knots")
        if not self.features or len(set(self.features)) != len(self.features):
            raise ValueError("feature names must be there, each once")
        which = [(curve.encoder, curve.preset) for curve in self.curves]
        if not which or len(set(which)) != len(which):
            raise ValueError("curves must be there, each encoder and preset once")


class CurveModel:
    """An opened network.

    Attributes:
        contract: what it says of itself.
    """

    def __init__(self, session: Any, contract: Contract, what: str) -> None:
        self._session, self.contract, self._what = session, contract, what

    def run(self, features: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and covariance at the knots of one curve.

        Args:
            features: raw, shape (d,).
            weights: over the trained curves, summing to 1, shape (m,).

        Returns:
            VMAF, shape (K,), and VMAF squared, shape (K, K).

        Raises:
            VmafTuneError: the network failed.
        """
        inputs = {"features": features.astype(np.float32)[None], "curve": weights.astype(np.float32)[None]}
        try:
            mean, covariance = self._session.run(["mean", "covariance"], inputs)
        except Exception as error:  # onnxruntime's errors have no base class of their own
            raise VmafTuneError(f"{self._what} failed: {one_line(error)}") from error
        return mean[0].astype(float), covariance[0].astype(float)


def open_model(content: bytes, what: str) -> CurveModel:
    """Open a network of kind ``predictor`` and hold it to its contract.

    Args:
        content: of the ONNX file.
        what: names it in errors.

    Raises:
        OnnxruntimeMissing: onnxruntime cannot be imported.
        VmafTuneError: the file is broken, of another opset, or breaks the contract.
    """
    session = open_session(content, what)
    contract = _contract(session, what)
    d, m, k = len(contract.features), len(contract.curves), contract.knots
    _check_ports("input", session.get_inputs(), {"features": [1, d], "curve": [1, m]}, what)
    _check_ports("output", session.get_outputs(), {"mean": [1, k], "covariance": [1, k, k]}, what)
    return CurveModel(session, contract, what)


def _contract(session: Any, what: str) -> Contract:
    try:
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if text is not None:
            return msgspec.json.decode(text, type=Contract)
    except (ValueError, RecursionError) as error:  # among them a text that is not UTF-8
        raise VmafTuneError(f"{what}: its metadata {METADATA_KEY!r} is wrong: {error}") from error
    raise VmafTuneError(f"{what} has no metadata {METADATA_KEY!r}: it is no predictor made by vmaf-tune")


def _check_ports(side: str, ports: list[Any], wanted: dict[str, list[int]], what: str) -> None:
    names = sorted(port.name for port in ports)
    if names != sorted(wanted):
        there = ", ".join(names) or "none"
        raise VmafTuneError(f"{what} has the {side}s {there}, its contract wants {' and '.join(wanted)}")
    for port in ports:
        if port.type != _FLOAT32 or port.shape != wanted[port.name]:
            there = f"{port.type} {port.shape}"
            raise VmafTuneError(
                f"{what}: {side} {port.name} is {there}, its contract wants {_FLOAT32} {wanted[port.name]}"
            )

"""Which of a network's curves an encode is on, and where on it: what predicting and training have in common."""

from __future__ import annotations

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.errors import Unsupported
from vmaftune.models.predictor import Contract


def curve_weights(contract: Contract, encoder: EncoderSpec, preset: str | None) -> tuple[FloatArray, str | None]:
    """Weights over the trained curves, summing to 1, shape (m,), and what a person should know of them.

    A preset between two that were trained is a mixture of both, by its place among the encoder's presets.

    Raises:
        Unsupported: the encoder was not trained on, or the preset is outside those that were.
    """
    trained = {curve.preset: i for i, curve in enumerate(contract.curves) if curve.encoder == encoder.name}
    if not trained:
        raise Unsupported(f"{encoder.name} was not trained on")
    each = np.eye(len(contract.curves))
    if preset in trained:
        return each[trained[preset]], None
    places = [encoder.presets.index(name) for name in trained if name in encoder.presets]
    place = encoder.presets.index(preset) if preset in encoder.presets else None
    before = max((p for p in places if place is not None and p < place), default=None)
    after = min((p for p in places if place is not None and p > place), default=None)
    if place is None or before is None or after is None:
        names = ", ".join(name or "none" for name in trained)
        raise Unsupported(f"preset {preset} of {encoder.name} is outside those trained on ({names})")
    first, second = encoder.presets[before], encoder.presets[after]
    share = (place - before) / (after - before)
    weights = (1.0 - share) * each[trained[first]] + share * each[trained[second]]
    return weights, f"preset {preset} is between the trained presets {first} and {second}"


def knot_range(contract: Contract, weights: FloatArray) -> tuple[float, float]:
    """CRF of the first and the last knot of a mixture of curves."""
    low, high = weights @ [(curve.low, curve.high) for curve in contract.curves]
    return float(low), float(high)


def interpolation(crfs: FloatArray, low: float, high: float, knots: int) -> FloatArray:
    """What takes values at evenly spaced knots to values at CRFs, linearly.

    Args:
        crfs: in any order, shape (n,).
        low, high: CRF of the first and the last knot.
        knots: K, at least 2.

    Returns:
        Weights, each row summing to 1, shape (n, K). Beyond the knots they go on along the last two.
    """
    at = (crfs - low) / (high - low) * (knots - 1)
    left = np.clip(np.floor(at), 0, knots - 2).astype(int)
    rows = np.arange(len(crfs))
    matrix = np.zeros((len(crfs), knots))
    matrix[rows, left] = 1.0 - (at - left)
    matrix[rows, left + 1] = at - left
    return matrix

"""What a prediction and an adjustment must be. Each function raises ContractError with what is wrong in words.

What is only looked at in part, such as the values of an array of a wrong shape, is left to the function whose matter it is.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vmaftune.contract.curves import Adjustment, CurveContext, FloatArray, Prediction
from vmaftune.host.answers import LARGEST_SHIFT
from vmaftune.testing.check import ContractError

SAME_VMAF = 1e-9
"""Numbers of two processes that differ by less are the same: threads may add up in another order."""

_ASYMMETRY = 1e-6
_NEGATIVE_EIGENVALUE = 1e-5  # of the largest variance; networks count in float32
_LOOKED_AT = 60


def where(context: CurveContext) -> str:
    """The curve that was asked for, in words."""
    grid = "1 CRF" if len(context.crfs) == 1 else f"{len(context.crfs)} CRFs"
    return f"{context.encoder.name} at preset {context.preset}, {grid}"


def whole(answer: Prediction | Adjustment, context: CurveContext) -> None:
    """Everything below."""
    shaped(answer, context)
    finite(answer, context)
    believable(answer, context)
    covariance(answer, context)


def shaped(answer: Prediction | Adjustment, context: CurveContext) -> None:
    """Arrays of float64, one value for each CRF, and a covariance for each pair."""
    n = len(context.crfs)
    wanted: dict[str, tuple[int, ...]] = {name: (n,) for name, _ in _curves(answer)}
    wanted |= {"covariance": (n, n)} if answer.covariance is not None else {}
    for name, shape in wanted.items():
        array = getattr(answer, name)
        if not isinstance(array, np.ndarray):
            raise ContractError(f"{name} is a {type(array).__name__}, not an array ({where(context)})")
        if array.shape != shape:
            raise ContractError(f"{name} has shape {array.shape}, not {shape} ({where(context)})")
        if array.dtype != np.float64:
            raise ContractError(f"{name} is of {array.dtype}, not float64 ({where(context)})")


def finite(answer: Prediction | Adjustment, context: CurveContext) -> None:
    """No NaN and no infinity."""
    for name in ("mean", "shift", "covariance"):
        array = getattr(answer, name, None)
        if array is not None and not np.isfinite(array).all():
            raise ContractError(f"{name} holds a value that is no number ({where(context)})")


def believable(answer: Prediction | Adjustment, context: CurveContext) -> None:
    """A mean is VMAF, from 0 to 100; a shift is not larger than the host believes."""
    for name, array in _curves(answer):
        low, high = (0.0, 100.0) if name == "mean" else (-LARGEST_SHIFT, LARGEST_SHIFT)
        values = np.asarray(array, float)
        outside = values[np.isfinite(values) & ((values < low) | (values > high))]
        if len(outside):
            raise ContractError(f"{name} holds {outside[0]:g} VMAF, outside {low:g} to {high:g} ({where(context)})")


def covariance(answer: Prediction | Adjustment, context: CurveContext) -> None:
    """Symmetric and positive semi-definite, as far as numbers of a computer are."""
    matrix = np.asarray(answer.covariance, float) if answer.covariance is not None else np.zeros((0, 0))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size or not np.isfinite(matrix).all():
        return
    asymmetry = float(np.abs(matrix - matrix.T).max())
    if asymmetry > _ASYMMETRY:
        raise ContractError(f"the covariance is not symmetric, by {asymmetry:.2g} ({where(context)})")
    # Any part of such a matrix is such a matrix, and one of every CRF of a fine grid takes long where processors are busy.
    thinned = slice(None, None, 1 + len(matrix) // _LOOKED_AT)
    matrix = matrix[thinned, thinned]
    tolerated = _NEGATIVE_EIGENVALUE * max(1.0, float(matrix.diagonal().max()))
    try:
        np.linalg.cholesky(matrix + tolerated * np.eye(len(matrix)))  # far cheaper than its eigenvalues
    except np.linalg.LinAlgError:
        least = f"its least eigenvalue is {np.linalg.eigvalsh(matrix)[0]:.2g}"
        raise ContractError(f"the covariance is not positive semi-definite: {least} ({where(context)})") from None


def same(first: Prediction | Adjustment, second: Prediction | Adjustment, within: float = 0.0) -> bool:
    """Whether two answers hold the same numbers."""
    pairs = [(first.covariance, second.covariance)]
    pairs += [(one, other) for (_, one), (_, other) in zip(_curves(first), _curves(second), strict=True)]
    if isinstance(first, Adjustment) and isinstance(second, Adjustment) and first.captures != second.captures:
        return False
    return all(_same(one, other, within) for one, other in pairs)


def _same(one: FloatArray | None, other: FloatArray | None, within: float) -> bool:
    if one is None or other is None:
        return one is other
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=0.0, atol=within, equal_nan=True)


def _curves(answer: Prediction | Adjustment) -> Iterable[tuple[str, FloatArray]]:
    if isinstance(answer, Prediction):
        return (("mean", answer.mean),)
    return (("shift", answer.shift),)

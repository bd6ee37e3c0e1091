"""Curves of a score over CRF: what is asked for, what predictors say, and what corrections make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import Features
from vmaftune.quality.scale import USUAL, Scale

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CurveContext:
    """The curve that is asked for.

    Attributes:
        features: of the source.
        encoder: its spec.
        preset: None where the encoder has none.
        crfs: the CRF grid, shape (n,), from the best quality to the coarsest.
        scale: of what scale the scores are that it is asked for.
        filtered: whether a filter of the user's goes before the encode; the features are of the source without it.
    """

    features: Features
    encoder: EncoderSpec
    preset: str | None
    crfs: FloatArray
    scale: Scale = USUAL
    filtered: bool = False


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A predicted curve with its uncertainty.

    Attributes:
        mean: score at each CRF of the grid, shape (n,), in the unit of the context's scale.
        covariance: of the score over the grid, shape (n, n), symmetric and positive semi-definite, in that unit squared.
        note: something a person should know, such as that the preset was not among those learned from.
    """

    mean: FloatArray
    covariance: FloatArray
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """What a correction makes of the curve that it was given.

    Attributes:
        shift: score added at each CRF of the grid, shape (n,). Exactly zero while nothing was learned.
        captures: how many captures it rests on.
        covariance: of the shifted curve, shape (n, n), as in Prediction; None leaves it as it was given.
        note: something a person should know, such as that what was learned no longer fits.
    """

    shift: FloatArray
    captures: int
    covariance: FloatArray | None = None
    note: str | None = None

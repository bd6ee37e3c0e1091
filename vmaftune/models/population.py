"""A population model: a table of curves that were measured, as its file holds it."""

from __future__ import annotations

import msgspec


class CurvePrior(msgspec.Struct, frozen=True, kw_only=True):
    """The prior of one encoder at one preset, at knots one CRF apart.

    A curve is mean + scores . components + a smooth local process. The scores are Gaussian, with a mean that is linear in the
    features (ridge regression over sources) and the covariance of what that regression misses on sources left out.

    Attributes:
        encoder, preset: which.
        sources: how many curves it was made from.
        crfs: knots, rising, shape (n,).
        mean: VMAF, shape (n,).
        components: principal components of the curves, orthonormal, shape (k, n).
        feature_schema: of the features below.
        feature_mean: of the scaled features over sources, shape (d,).
        weights: scores per unit of scaled feature, in VMAF, shape (d, k).
        leverage: (X^T X + ridge I)^-1 of the centred scaled features, shape (d, d); how far a source is from those known.
        score_covariance: of the scores about the regression, leave-one-source-out, in VMAF squared, shape (k, k).
        residual: standard deviation of what the components leave, in VMAF, shape (n,).
        length: of the local process, in CRF.
    """

    encoder: str
    preset: str | None
    sources: int
    crfs: list[float]
    mean: list[float]
    components: list[list[float]]
    feature_schema: int
    feature_mean: list[float]
    weights: list[list[float]]
    leverage: list[list[float]]
    score_covariance: list[list[float]]
    residual: list[float]
    length: float


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """A population model file: its schema and a prior for each encoder and preset."""

    schema: int
    priors: list[CurvePrior]

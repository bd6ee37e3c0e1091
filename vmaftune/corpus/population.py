"""From a corpus to the population prior: mean and covariance of its curves, for each encoder and preset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.types import FloatArray

_COMPONENTS = 4
_RESIDUAL_LENGTH_SHARE = 0.2
_LEAST_RESIDUAL_VMAF = 0.3
_LEAST_SOURCES = 5


class CurvePrior(msgspec.Struct, frozen=True, kw_only=True):
    """The prior of one encoder at one preset, at knots one CRF apart.

    covariance(i, j) = sum over components of c_i c_j, plus residual_i residual_j exp(-((crf_i - crf_j) / length)^2 / 2):
    principal components for what curves share, a smooth local process for what they do not.

    Attributes:
        encoder, preset: which.
        sources: how many curves it was made from.
        crfs: knots, rising, shape (n,).
        mean: VMAF, shape (n,).
        components: each times the standard deviation of its score, in VMAF; shape (k, n).
        residual: standard deviation of what the components leave, in VMAF, shape (n,).
        length: of the local process, in CRF.
    """

    encoder: str
    preset: str | None
    sources: int
    crfs: list[float]
    mean: list[float]
    components: list[list[float]]
    residual: list[float]
    length: float


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """A population model file: its schema and a prior for each encoder and preset."""

    schema: int
    priors: list[CurvePrior]


def fit_population(rows: Sequence[CorpusRow], ranges: dict[str, tuple[float, float]]) -> Population:
    """Fit the priors of all curves in ``rows``.

    Args:
        ranges: for each encoder, the CRFs that the prior must cover; beyond the measured ones it goes on straight.

    Raises:
        UserError: scipy is missing, or an encoder has too few sources.
    """
    curves: dict[tuple[str, str | None], dict[str, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        curves[row.encoder, row.preset][row.source][row.crf] = row.vmaf_mean
    priors = []
    for (encoder, preset), sources in sorted(curves.items(), key=str):
        full = max(len(points) for points in sources.values())
        whole = [points for points in sources.values() if len(points) == full]
        if len(whole) < _LEAST_SOURCES:
            raise UserError(f"{encoder} {preset}: {len(whole)} whole curves are too few for a population")
        low, high = ranges[encoder]
        crfs = np.arange(np.floor(low), np.ceil(high) + 1.0)
        table = np.array([curve_through(points, crfs) for points in whole])
        priors.append(_fit(encoder, preset, crfs, table))
    return Population(schema=1, priors=priors)


def curve_through(points: dict[float, float], crfs: FloatArray) -> FloatArray:
    """A monotone-preserving cubic through measured points, straight beyond them, within 0 to 100 (Fritsch and Butland, 1984).

    Returns:
        VMAF at ``crfs``, shape (n,).
    """
    try:
        from scipy.interpolate import PchipInterpolator
    except ImportError as error:
        raise UserError("this needs scipy: pip install 'vmaf-tune[train]'") from error
    x = np.array(sorted(points))
    curve = PchipInterpolator(x, [points[crf] for crf in x])
    inside = np.clip(crfs, x[0], x[-1])
    slopes = curve.derivative()(np.where(crfs < x[0], x[0], x[-1]))
    values: FloatArray = np.clip(curve(inside) + (crfs - inside) * slopes, 0.0, 100.0)
    return values


def _fit(encoder: str, preset: str | None, crfs: FloatArray, table: FloatArray) -> CurvePrior:
    mean = table.mean(axis=0)
    _, singular, directions = np.linalg.svd(table - mean, full_matrices=False)
    deviations = singular / np.sqrt(len(table) - 1)
    components = directions[:_COMPONENTS] * deviations[:_COMPONENTS, None]
    left = (table - mean) - (table - mean) @ directions[:_COMPONENTS].T @ directions[:_COMPONENTS]
    residual = np.maximum(left.std(axis=0), _LEAST_RESIDUAL_VMAF)
    return CurvePrior(
        encoder=encoder,
        preset=preset,
        sources=len(table),
        crfs=crfs.tolist(),
        mean=np.round(mean, 4).tolist(),
        components=np.round(components, 4).tolist(),
        residual=np.round(residual, 4).tolist(),
        length=round(_RESIDUAL_LENGTH_SHARE * float(crfs[-1] - crfs[0]), 3),
    )

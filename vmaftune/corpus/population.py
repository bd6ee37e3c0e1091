"""From a corpus to the population prior: mean and covariance of its curves given the features, for each encoder and preset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.features import SCHEMA_VERSION, Features
from vmaftune.corpus.check import LEAST_SOURCES, check_corpus
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.extras import install_command
from vmaftune.models.population import CurvePrior, Population

_COMPONENTS = 4
_FEATURE_RIDGE = 30.0
_RESIDUAL_LENGTH_SHARE = 1.0 / 3.0
_LEAST_RESIDUAL_VMAF = 1.0


def fit_population(rows: Sequence[CorpusRow], ranges: dict[str, tuple[float, float]]) -> Population:
    """Fit the priors of all curves in ``rows``; an encoder and preset with too few whole ones is left out.

    Args:
        ranges: for each encoder, the CRFs that the prior must cover; beyond the measured ones it goes on straight.

    Raises:
        UserError: scipy is missing, the rows cannot stand together, or no encoder has enough whole curves.
    """
    check_corpus(rows, "the corpus")
    curves: dict[tuple[str, str | None], dict[tuple[str, int], dict[float, float]]]
    curves = defaultdict(lambda: defaultdict(dict))
    features: dict[str, dict[tuple[str, int], Features]] = defaultdict(dict)
    for row in rows:
        features[row.encoder][row.clip, row.height] = Features(schema=row.feature_schema, values=row.features)
        curves[row.encoder, row.preset][row.clip, row.height][row.crf] = row.vmaf_mean
    priors = []
    for (encoder, preset), sources in sorted(curves.items(), key=str):
        full = max(len(points) for points in sources.values())
        whole = {source: points for source, points in sources.items() if len(points) == full}
        if len(whole) < LEAST_SOURCES:
            continue
        low, high = ranges[encoder]
        crfs = np.arange(np.floor(low), np.ceil(high) + 1.0)
        table = np.array([curve_through(points, crfs) for points in whole.values()])
        known = np.array([features[encoder][clip].scaled() for clip in whole])
        priors.append(_fit(encoder, preset, crfs, table, known))
    if not priors:
        raise UserError(f"no encoder has the {LEAST_SOURCES} whole curves that a population needs")
    return Population(schema=1, priors=priors)


def curve_through(points: dict[float, float], crfs: FloatArray) -> FloatArray:
    """A monotone-preserving cubic through measured points, straight beyond them, within 0 to 100 (Fritsch and Butland, 1984).

    Returns:
        VMAF at ``crfs``, shape (n,).
    """
    try:
        from scipy.interpolate import PchipInterpolator
    except ImportError as error:
        raise UserError(f"this needs scipy: {install_command('train')}") from error
    x = np.array(sorted(points))
    curve = PchipInterpolator(x, [points[crf] for crf in x])
    inside = np.clip(crfs, x[0], x[-1])
    slopes = curve.derivative()(np.where(crfs < x[0], x[0], x[-1]))
    values: FloatArray = np.clip(curve(inside) + (crfs - inside) * slopes, 0.0, 100.0)
    return values


def _fit(encoder: str, preset: str | None, crfs: FloatArray, table: FloatArray, features: FloatArray) -> CurvePrior:
    """Components of the curves, and the regression of their scores on the features."""
    mean, feature_mean = table.mean(axis=0), features.mean(axis=0)
    components = np.linalg.svd(table - mean, full_matrices=False)[2][:_COMPONENTS]
    scores = (table - mean) @ components.T
    centred = features - feature_mean
    leverage = np.linalg.inv(centred.T @ centred + _FEATURE_RIDGE * np.eye(features.shape[1]))
    weights = leverage @ centred.T @ scores
    # Residuals of each source when it is left out, without fitting again (Allen, 1974, PRESS).
    own = np.einsum("ij,jk,ik->i", centred, leverage, centred) + 1.0 / len(table)
    missed = (scores - centred @ weights) / (1.0 - own)[:, None]
    left = (table - mean) - scores @ components
    residual = np.maximum(left.std(axis=0), _LEAST_RESIDUAL_VMAF)

    def rounded(values: FloatArray) -> list[Any]:
        listed: list[Any] = np.round(values, 6).tolist()
        return listed

    return CurvePrior(
        encoder=encoder,
        preset=preset,
        sources=len(table),
        crfs=crfs.tolist(),
        mean=rounded(mean),
        components=rounded(components),
        feature_schema=SCHEMA_VERSION,
        feature_mean=rounded(feature_mean),
        weights=rounded(weights),
        leverage=rounded(leverage),
        score_covariance=rounded(np.atleast_2d(np.cov(missed.T))),
        residual=rounded(residual),
        length=round(_RESIDUAL_LENGTH_SHARE * float(crfs[-1] - crfs[0]), 3),
    )

"""``nearest-neighbour``: a predictor. A source's curve is about that of the known sources that are most like it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
import numpy as np

from vmaftune import hookimpl
from vmaftune.contract import (
    CurveContext,
    Features,
    FloatArray,
    PluginContext,
    Prediction,
    Predictor,
    PredictorSpec,
    Unsupported,
)
from vmaftune_plugin_template.known_sources import load

vmaftune_api = 1

_LEAST_DISTANCE = 1e-6
_BETWEEN_DEVIATION_VMAF, _BETWEEN_LENGTH_CRF = 1.0, 6.0
"""Curves bend between the CRFs of the table by about as much, over about as many CRFs."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings in ``[plugins.nearest-neighbour]``.

    Attributes:
        neighbours: how many known sources a curve is made of, 1 to 20.
    """

    neighbours: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5


class NearestNeighbour:
    """Mean of the nearest known curves, weighted by 1 / distance between scaled features (Shepard, 1968).

    Its covariance is that of the errors it makes on each known source from the others, made wider for a source that lies
    farther from its neighbours than known sources do.

    Args:
        settings: see Settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._known, digest = load()
        self._neighbours = settings.neighbours
        # All that changes a prediction is in the version: what corrections learn is kept by it.
        self.version = f"nearest{settings.neighbours}-{digest}"
        known = self._known
        features = [Features(schema=known.feature_schema, values=source.features) for source in known.sources]
        self._features = np.array([feature.scaled() for feature in features])
        self._curves = np.array([source.vmaf for source in known.sources])
        left_out = [self._estimate(feature, leave_out=place) for place, feature in enumerate(self._features)]
        self._errors = self._curves - np.array([curve for curve, _ in left_out])
        self._usual_distance = float(np.median([distance for _, distance in left_out]))

    def predict(self, context: CurveContext) -> Prediction:
        """Mean and covariance over ``context.crfs``.

        Raises:
            Unsupported: the encoder, the preset or the features are not those of the table.
        """
        known = self._known
        if (context.encoder.name, context.preset) != (known.encoder, known.preset):
            raise Unsupported(f"only {known.encoder} {known.preset} is known")
        if context.features.schema != known.feature_schema:
            raise Unsupported(f"features of schema {context.features.schema} are not known")
        if not np.isfinite(context.features.values).all():
            raise Unsupported("a feature of the source could not be measured")
        curve, distance = self._estimate(context.features.scaled())
        mean = np.interp(context.crfs, known.crfs, curve)
        errors = np.array([np.interp(context.crfs, known.crfs, error) for error in self._errors])
        wider = max(1.0, distance / self._usual_distance) ** 2
        away = (context.crfs[:, None] - context.crfs[None, :]) / _BETWEEN_LENGTH_CRF
        between = _BETWEEN_DEVIATION_VMAF**2 * np.exp(-0.5 * away**2)
        return Prediction(mean=mean, covariance=wider * errors.T @ errors / len(errors) + between)

    def _estimate(self, features: FloatArray, leave_out: int | None = None) -> tuple[FloatArray, float]:
        """The curve at the table's CRFs, shape (m,), and the mean distance of the neighbours it was made of."""
        distances = np.linalg.norm(self._features - features, axis=1)
        if leave_out is not None:
            distances[leave_out] = np.inf
        nearest = np.argsort(distances, kind="stable")[: self._neighbours]
        weights = 1.0 / np.maximum(distances[nearest], _LEAST_DISTANCE)
        return weights @ self._curves[nearest] / weights.sum(), float(distances[nearest].mean())


def _make(context: PluginContext) -> Predictor:
    return NearestNeighbour(context.settings)


@hookimpl
def vmaftune_predictors() -> Iterator[PredictorSpec]:
    yield PredictorSpec(
        name="nearest-neighbour",
        version="1.0.0",
        factory=_make,
        settings=Settings,
        summary="the curves of the known sources most like this one (libx264 medium)",
        thread_safe=True,
    )

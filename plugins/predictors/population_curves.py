"""The population prior as a predictor."""

from __future__ import annotations

import msgspec
import numpy as np

from vmaftune import models
from vmaftune.contract import CurveContext, FloatArray, Prediction, Unsupported
from vmaftune.models.population import Population

MODEL = "population_v2"


class PopulationPredictor:
    """Gives a source the mean and covariance that the measured curves of others have, given its features.

    Raises:
        VmafTuneError: the model file is missing or not the one that was registered.
    """

    def __init__(self) -> None:
        entry, content = models.load(MODEL)
        self._version = entry.version
        self._priors = msgspec.json.decode(content, type=Population).priors

    @property
    def version(self) -> str:
        return self._version

    def predict(self, context: CurveContext) -> Prediction:
        """Mean and covariance over ``context.crfs``.

        Raises:
            Unsupported: the encoder was not measured, or a feature of the source could not be.
        """
        of_encoder = [prior for prior in self._priors if prior.encoder == context.encoder.name]
        if not of_encoder:
            raise Unsupported(f"{context.encoder.name} was not measured")
        prior = next((p for p in of_encoder if p.preset == context.preset), None)
        note = None
        if prior is None:
            prior = max(of_encoder, key=lambda p: p.sources)
            note = f"the population was measured at preset {prior.preset}, not {context.preset}"
        features = context.features
        if np.isnan(features.values).any():
            raise Unsupported("there is no pilot, and the population was measured with pilots")
        if features.schema != prior.feature_schema:
            raise Unsupported(f"features of schema {features.schema} were not measured")
        away = features.scaled() - np.array(prior.feature_mean)
        components = np.array([np.interp(context.crfs, prior.crfs, component) for component in prior.components])
        scores = away @ np.array(prior.weights)
        mean = np.interp(context.crfs, prior.crfs, prior.mean) + scores @ components
        # The regression and the mean were themselves made from few sources.
        wider = 1.0 + 1.0 / prior.sources + away @ np.array(prior.leverage) @ away
        residual = np.interp(context.crfs, prior.crfs, prior.residual)
        covariance = wider * components.T @ np.array(prior.score_covariance) @ components
        covariance = covariance + np.outer(residual, residual) * _correlation(context.crfs, prior.length)
        return Prediction(mean=np.clip(mean, 0.0, 100.0), covariance=covariance, note=note)


def _correlation(crfs: FloatArray, length: float) -> FloatArray:
    """Of the local process between CRFs, shape (n, n): squared exponential (Rasmussen and Williams, 2006, eq. 4.9)."""
    distance: FloatArray = (crfs[:, None] - crfs[None, :]) / length
    return np.exp(-0.5 * distance**2)

"""The population prior as a predictor."""

from __future__ import annotations

import msgspec
import numpy as np

from vmaftune import models
from vmaftune.corpus.population import CurvePrior, Population
from vmaftune.search.prior import squared_exponential
from vmaftune.types import CurveContext, FloatArray, Prediction, Unsupported

MODEL = "population_v1"


class PopulationPredictor:
    """Gives every source the same curve: that of the population, with how far sources stray from it.

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
            Unsupported: the encoder was not measured.
        """
        of_encoder = [prior for prior in self._priors if prior.encoder == context.encoder.name]
        if not of_encoder:
            raise Unsupported(f"{context.encoder.name} was not measured")
        prior = next((p for p in of_encoder if p.preset == context.preset), None)
        note = None
        if prior is None:
            prior = of_encoder[0]
            note = f"the population was measured at preset {prior.preset}, not {context.preset}"
        mean = np.interp(context.crfs, prior.crfs, prior.mean)
        return Prediction(mean=mean, covariance=_covariance(prior, context.crfs), note=note)


def _covariance(prior: CurvePrior, crfs: FloatArray) -> FloatArray:
    components = np.array([np.interp(crfs, prior.crfs, component) for component in prior.components])
    residual = np.interp(crfs, prior.crfs, prior.residual)
    # The mean of n curves is itself uncertain by 1/n of their variance.
    shared = (1.0 + 1.0 / prior.sources) * components.T @ components
    return shared + np.outer(residual, residual) * squared_exponential(crfs, prior.length)

"""A trained network as a predictor: which of its curves is asked for, and how its knots become the CRF grid."""

from __future__ import annotations

import numpy as np
from vmaftune_plugins.predictors.mlp_settings import SHIPPED_MODEL

from vmaftune import models
from vmaftune.contract import (
    CurveContext,
    Features,
    FloatArray,
    Prediction,
    Unsupported,
)
from vmaftune.contract.features import NAMES, SCHEMA_VERSION
from vmaftune.errors import UserError
from vmaftune.models.choice import curve_weights, interpolation, knot_range
from vmaftune.models.predictor import open_model
from vmaftune.models.session import OnnxruntimeMissing


class MlpPredictor:
    """Gives a source the mean and covariance that a network, trained on others' curves, expects of its features.

    Args:
        model_id: a registered model of kind ``predictor``.

    Raises:
        Unsupported: the model of vmaf-tune itself is not registered, or onnxruntime is not installed.
        UserError: there is no such model, it is no predictor, or its file is not the one that was registered.
        VmafTuneError: the file is not what its contract says.
    """

    def __init__(self, model_id: str = SHIPPED_MODEL) -> None:
        try:
            entry, content = models.load(model_id)
        except models.UnknownModel:
            if model_id == SHIPPED_MODEL:
                raise Unsupported(f"the model {model_id} is not registered") from None
            raise
        if entry.kind != "predictor":
            raise UserError(f"model {model_id} is of kind {entry.kind}, not predictor")
        try:
            self._network = open_model(content, f"model {model_id}")
        except OnnxruntimeMissing as error:
            raise Unsupported(str(error)) from error
        self._version = entry.version

    @property
    def version(self) -> str:
        return self._version

    def predict(self, context: CurveContext) -> Prediction:
        """Mean and covariance over ``context.crfs``: linear between the knots, and on in a straight line beyond them.

        Raises:
            Unsupported: the features, the encoder or the preset are not among those trained on.
            VmafTuneError: the network failed.
        """
        contract = self._network.contract
        if (contract.feature_schema, contract.features) != (SCHEMA_VERSION, NAMES):
            raise Unsupported(f"it was trained on other features (schema {contract.feature_schema})")
        if context.features.schema != contract.feature_schema:
            raise Unsupported(f"features of schema {context.features.schema} were not trained on")
        weights, note = curve_weights(contract, context.encoder, context.preset)
        mean, covariance = self._network.run(_known(context.features), weights)
        low, high = knot_range(contract, weights)
        matrix = interpolation(context.crfs, low, high, contract.knots)
        covariance = matrix @ ((covariance + covariance.T) / 2) @ matrix.T
        # Where the network is all but certain, its float32 may leave a variance just below 0.
        np.fill_diagonal(covariance, np.maximum(covariance.diagonal(), 0.0))
        return Prediction(mean=np.clip(matrix @ mean, 0.0, 100.0), covariance=covariance, note=note)


def _known(features: Features) -> FloatArray:
    """Raw features, shape (d,). Raises Unsupported where one could not be measured: the network was never told of that."""
    values = np.array(features.values)
    if np.isnan(values).any():
        raise Unsupported("there is no pilot: it takes an ffmpeg from 7.1 on with libvmaf, libx264 and libsvtav1")
    return values

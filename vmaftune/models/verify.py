"""Whether a registered model is whole and does what its kind promises."""

from __future__ import annotations

import msgspec
import numpy as np

from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION
from vmaftune.errors import VmafTuneError
from vmaftune.models.entry import RegisteredModel
from vmaftune.models.full_reference import TinyModel
from vmaftune.models.population import Population
from vmaftune.models.predictor import open_model
from vmaftune.models.registry import read

_LARGEST_RISE_VMAF = 1e-3
_NEGATIVE_EIGENVALUE_TOLERATED = 1e-5  # of the largest: float32 rounds by 6e-8 of each of a few dozen products


def verify(model: RegisteredModel) -> str:
    """Check hashes of model and data, that the model opens, and that it predicts.

    Returns:
        What was found, in words.

    Raises:
        VmafTuneError: what is wrong; UserError where it is the user's own.
    """
    content = read(model, model.file, model.sha256)
    whole = "model and data have their sha256"
    found = [whole if _data(model) else "the model has its sha256, its data is not installed"]
    if model.card is not None:
        read(model, model.card)
    what = f"model {model.id}"
    if model.kind == "predictor":
        found.append(_predictor(content, what))
    elif model.kind == "fr":
        found.append(_full_reference(content, what))
    else:
        found.append(_population(content, what))
    return "; ".join(found)


def _data(model: RegisteredModel) -> bool:
    """Whether the data is there, with its hash. A wheel leaves the data of shipped models out; sdist and git have it."""
    try:
        read(model, model.data)
    except VmafTuneError:
        if model.origin == "shipped":
            return False
        raise
    read(model, model.data, model.data_sha256)
    return True


def _predictor(content: bytes, what: str) -> str:
    network = open_model(content, what)
    contract = network.contract
    if (contract.feature_schema, contract.features) != (SCHEMA_VERSION, NAMES):
        raise VmafTuneError(f"{what} was made for other features (schema {contract.feature_schema}); train it again")
    ordinary = np.array([scale.centre for scale in FEATURES.values()])
    for curve, weights in zip(contract.curves, np.eye(len(contract.curves)), strict=True):
        mean, covariance = network.run(ordinary, weights)
        whose = f"{what}: its curve of {curve.encoder} {curve.preset or ''}".rstrip()
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise VmafTuneError(f"{whose} has a value that is no number")
        if np.diff(mean).max() > _LARGEST_RISE_VMAF:
            raise VmafTuneError(f"{whose} rises by {np.diff(mean).max():.3g} VMAF towards a coarser CRF")
        if not np.allclose(covariance, covariance.T, rtol=1e-5, atol=1e-6):
            raise VmafTuneError(f"{whose} has a covariance that is not symmetric")
        eigenvalues = np.linalg.eigvalsh(covariance)
        if eigenvalues[0] < -_NEGATIVE_EIGENVALUE_TOLERATED * max(eigenvalues[-1], 1.0):
            raise VmafTuneError(f"{whose} has a covariance that is not positive semi-definite")
    return f"it keeps its contract; {len(contract.curves)} curves of {contract.knots} knots are finite and fall"


def _full_reference(content: bytes, what: str) -> str:
    worst_to_best = np.linspace((0.4, 0.05, 0.1, 0.15, 0.2, 5.0), (1.0, 0.9, 0.97, 0.98, 0.99, 5.0), 32)
    scores = TinyModel(content, what).scores(worst_to_best)
    if not scores[-1] > scores[0]:
        raise VmafTuneError(f"{what} gives a poor picture VMAF {scores[0]:.1f} and a good one {scores[-1]:.1f}")
    return f"it keeps its contract; from a poor picture to a good one it says VMAF {scores[0]:.1f} to {scores[-1]:.1f}"


def _population(content: bytes, what: str) -> str:
    try:
        population = msgspec.json.decode(content, type=Population)  # JSON has no number that is not finite
    except (ValueError, RecursionError) as error:
        raise VmafTuneError(f"{what} is no population table: {error}") from error
    return f"its table of {len(population.priors)} curves can be read"

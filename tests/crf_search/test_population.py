"""The shipped population prior: what it covers, and that it is a prior."""

from __future__ import annotations

import hashlib
import importlib.resources

import numpy as np
import pytest
from vmaftune_plugins.encoders import vmaftune_encoders
from vmaftune_plugins.predictors.population_curves import PopulationPredictor

from tests.crf_search.conftest import FEATURES_OF_A_SOURCE
from vmaftune import models
from vmaftune.contract import CurveContext, Unsupported
from vmaftune.crf_search.grid import crf_grid
from vmaftune.errors import VmafTuneError

SOFTWARE = [spec for spec in vmaftune_encoders() if not spec.hardware]


def _context(spec, preset=None) -> CurveContext:  # type: ignore[no-untyped-def]
    grid = crf_grid(spec, None, None, None)
    return CurveContext(features=FEATURES_OF_A_SOURCE, encoder=spec, preset=preset or spec.default_preset, crfs=grid)


@pytest.mark.parametrize("spec", SOFTWARE, ids=lambda s: s.name)
def test_every_software_encoder_has_a_falling_mean_and_a_true_covariance(spec) -> None:  # type: ignore[no-untyped-def]
    prediction = PopulationPredictor().predict(_context(spec))
    n = len(crf_grid(spec, None, None, None))
    assert prediction.mean.shape == (n,) and prediction.covariance.shape == (n, n)
    assert prediction.mean.min() >= 0 and prediction.mean.max() <= 100
    middle = prediction.mean[n // 6 :]  # SVT-AV1's real curves rise at their very low end
    assert (np.diff(middle) <= 0).all()
    assert np.linalg.eigvalsh(prediction.covariance).min() > -1e-6 * prediction.covariance.max()
    assert prediction.note is None


def test_another_preset_is_said() -> None:
    prediction = PopulationPredictor().predict(_context(SOFTWARE[0], "placebo"))
    assert prediction.note is not None and "placebo" in prediction.note


def test_an_encoder_that_was_not_measured_is_unsupported() -> None:
    nvenc = next(spec for spec in vmaftune_encoders() if spec.name == "h264_nvenc")
    with pytest.raises(Unsupported):
        PopulationPredictor().predict(_context(nvenc))


def test_the_version_names_the_model_and_its_hash() -> None:
    entry, content = models.load("population_v2")
    assert entry.sha256 == hashlib.sha256(content).hexdigest()
    assert PopulationPredictor().version == f"population_v2-{entry.sha256[:8]}"


def test_a_file_that_is_not_the_registered_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = importlib.resources.files("vmaftune_models")
    (tmp_path / "registry.json").write_bytes(folder.joinpath("registry.json").read_bytes())
    (tmp_path / "population_v2.json").write_bytes(folder.joinpath("population_v2.json").read_bytes()[:-1] + b" ")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(VmafTuneError, match="sha256"):
        models.load("population_v2")

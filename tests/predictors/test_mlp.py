"""``mlp``: a network's curve at the CRFs, presets and features that are asked for, and a clear no to all others."""

from __future__ import annotations

import importlib.resources
import math
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.encoders import vmaftune_encoders
from vmaftune_plugins.predictors.mlp_curves import MlpPredictor
from vmaftune_plugins.predictors.mlp_settings import Settings

from tests.models import build
from vmaftune import models
from vmaftune.contract import CurveContext, Unsupported
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import NAMES, SCHEMA_VERSION, Features
from vmaftune.crf_search.grid import crf_grid
from vmaftune.errors import PluginError, UserError, VmafTuneError
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.models.choice import interpolation

SPECS = {spec.name: spec for spec in vmaftune_encoders()}
ORDINARY = Features(schema=SCHEMA_VERSION, values=tuple(build.ORDINARY.tolist()))
WITHIN = np.array([14.0, 17.3, 23.0, 23.1, 40.0, 50.0])


def context(
    preset: str | None = "medium",
    crfs: np.ndarray = WITHIN,
    *,
    encoder: str | EncoderSpec = "libx264",
    features: Features = ORDINARY,
) -> CurveContext:
    spec = SPECS[encoder] if isinstance(encoder, str) else encoder
    return CurveContext(features=features, encoder=spec, preset=preset, crfs=crfs)


def at_knots(i: int, features: Features = ORDINARY) -> np.ndarray:
    """VMAF of curve ``i`` at its knots, computed without the network."""
    return build.means()[i] + np.array(features.values) @ build.slopes()


def knots(i: int) -> np.ndarray:
    return np.linspace(build.CURVES[i][2], build.CURVES[i][3], build.KNOTS)


def between(crfs: np.ndarray, at: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """A covariance at CRFs within the knots: interpolated along its rows, then along its columns."""
    rows = np.array([np.interp(crfs, at, row) for row in covariance])
    return np.array([np.interp(crfs, at, column) for column in rows.T])


@pytest.fixture
def predictor(own: Path) -> MlpPredictor:
    build.register(own, "own")
    return MlpPredictor("own")


# --- What it predicts --------------------------------------------------------------------------------------------------


def test_a_trained_preset_is_interpolated_between_its_knots(predictor: MlpPredictor) -> None:
    prediction = predictor.predict(context())
    assert prediction.mean == pytest.approx(np.interp(WITHIN, knots(1), at_knots(1)), abs=1e-4)
    assert prediction.covariance == pytest.approx(between(WITHIN, knots(1), build.covariances()[1]), rel=1e-5)
    assert prediction.note is None


def test_each_encoder_has_its_own_curve_and_knots(predictor: MlpPredictor) -> None:
    crfs = np.array([5.0, 33.3, 65.0])
    prediction = predictor.predict(context("8", crfs, encoder="libsvtav1"))
    assert prediction.mean == pytest.approx(np.interp(crfs, knots(2), at_knots(2)), abs=1e-4)


def test_an_encoder_without_presets(predictor: MlpPredictor) -> None:
    crfs = np.array([10.0, 25.0])
    plain = EncoderSpec(name="own_encoder", preset_option=None)
    prediction = predictor.predict(context(None, crfs, encoder=plain))
    assert prediction.mean == pytest.approx(np.interp(crfs, knots(3), at_knots(3)), abs=1e-4)


def test_features_count_raw_and_in_their_order(predictor: MlpPredictor) -> None:
    for i in (0, len(NAMES) - 1):
        values = list(ORDINARY.values)
        values[i] -= 1000.0
        other = Features(schema=SCHEMA_VERSION, values=tuple(values))
        prediction = predictor.predict(context(features=other))
        assert prediction.mean == pytest.approx(np.interp(WITHIN, knots(1), at_knots(1, other)), abs=1e-3)


def test_a_feature_that_could_not_be_measured_is_not_guessed(predictor: MlpPredictor) -> None:
    unmeasured = Features(schema=SCHEMA_VERSION, values=(*ORDINARY.values[:-1], math.nan))
    with pytest.raises(Unsupported, match="no pilot"):
        predictor.predict(context(features=unmeasured))


def test_beyond_the_knots_it_goes_straight_on_and_stays_within_0_to_100(predictor: MlpPredictor) -> None:
    crfs = np.array([-60.0, 13.0, 52.0, 200.0])
    prediction = predictor.predict(context(crfs=crfs))
    values, spacing = at_knots(1), 9.0
    before = values[0] - (values[1] - values[0]) * 1.0 / spacing
    after = values[-1] + (values[-1] - values[-2]) * 2.0 / spacing
    assert prediction.mean == pytest.approx([100.0, before, after, 0.0], abs=1e-3)
    weights = np.array([0, 0, 0, -2 / spacing, 1 + 2 / spacing])
    assert prediction.covariance[2, 2] == pytest.approx(weights @ build.covariances()[1] @ weights, rel=1e-4)


def test_a_grid_in_another_order_gives_the_same_values(predictor: MlpPredictor) -> None:
    forth, back = predictor.predict(context()), predictor.predict(context(crfs=WITHIN[::-1].copy()))
    assert forth.mean == pytest.approx(back.mean[::-1]) and forth.covariance == pytest.approx(
        back.covariance[::-1, ::-1]
    )


def test_the_covariance_is_symmetric_and_no_variance_is_below_0(own: Path) -> None:
    steps = np.arange(build.KNOTS) - 2.0
    certain = np.tile(-1e-6 + 0.1 * np.outer(steps, steps), (len(build.CURVES), 1, 1))
    build.register(own, "own", build.network(covariance=certain))
    prediction = MlpPredictor("own").predict(context(crfs=crf_grid(SPECS["libx264"], None, None, None)))
    assert np.abs(prediction.covariance - prediction.covariance.T).max() < 1e-9
    assert prediction.covariance.diagonal().min() == 0.0 and prediction.covariance.dtype == np.float64


def test_weights_of_an_interpolation_are_exact_at_knots_and_sum_to_1() -> None:
    assert (interpolation(np.linspace(10, 50, 5), 10.0, 50.0, 5) == np.eye(5)).all()
    assert (interpolation(np.array([15.0, 60.0]), 10.0, 50.0, 5) == [[0.5, 0.5, 0, 0, 0], [0, 0, 0, -1, 2]]).all()
    assert interpolation(np.linspace(-30, 90, 77), 10.0, 50.0, 5).sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize(("preset", "share"), [("faster", 1 / 3), ("fast", 2 / 3)])
def test_a_preset_between_trained_ones_is_blended_by_its_place(
    predictor: MlpPredictor, preset: str, share: float
) -> None:
    prediction = predictor.predict(context(preset))
    at = (1 - share) * knots(0) + share * knots(1)
    values = (1 - share) * at_knots(0) + share * at_knots(1)
    covariance = (1 - share) * build.covariances()[0] + share * build.covariances()[1]
    inner = prediction.mean[1:-1], WITHIN[1:-1]
    assert inner[0] == pytest.approx(np.interp(inner[1], at, values), abs=1e-4)
    assert prediction.covariance[1:-1, 1:-1] == pytest.approx(between(WITHIN[1:-1], at, covariance), rel=1e-4)
    assert prediction.note == f"preset {preset} is between the trained presets veryfast and medium"


def test_the_nearest_trained_presets_are_blended(own: Path) -> None:
    """ultrafast, medium and slower trained: slow lies between the latter two, whatever their order in the file."""
    presets = ("slower", "ultrafast", "medium", "placebo")
    curves = [{"encoder": "libx264", "preset": p, "low": 10, "high": 46, "sources": 9} for p in presets]
    build.register(own, "own", build.network(metadata=build.contract(curves=curves)))
    prediction = MlpPredictor("own").predict(context("slow"))
    assert prediction.note == "preset slow is between the trained presets medium and slower"
    expected = (at_knots(0) + at_knots(2)) / 2
    assert prediction.mean[1] == pytest.approx(np.interp(WITHIN[1], np.linspace(10, 46, 5), expected), abs=1e-4)


def test_the_version_names_the_model_and_its_hash(predictor: MlpPredictor) -> None:
    assert predictor.version == models.find("own").version and predictor.version.startswith("own-")


# --- What it does not know ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (context(encoder="libx265"), "^libx265 was not trained on$"),
        (context("ultrafast"), r"^preset ultrafast of libx264 is outside those trained on \(veryfast, medium\)$"),
        (context("slow"), "preset slow of libx264 is outside"),
        (context("9", encoder="libsvtav1"), r"preset 9 of libsvtav1 is outside those trained on \(8\)"),
        (context(None), "preset None of libx264 is outside"),
        (context("no such preset"), "outside"),
        (context("8", encoder=EncoderSpec(name="own_encoder")), r"outside those trained on \(none\)"),
        (
            context(features=msgspec.structs.replace(ORDINARY, schema=SCHEMA_VERSION + 1)),
            f"features of schema {SCHEMA_VERSION + 1} were not trained on",
        ),
    ],
)
def test_what_was_not_trained_on_is_unsupported(predictor: MlpPredictor, asked: CurveContext, why: str) -> None:
    with pytest.raises(Unsupported, match=why):
        predictor.predict(asked)


@pytest.mark.parametrize("other", [{"feature_schema": SCHEMA_VERSION + 1}, {"features": (*NAMES[1:], NAMES[0])}])
def test_a_model_of_other_features_is_unsupported(own: Path, other: dict[str, Any]) -> None:
    build.register(own, "own", build.network(metadata=build.contract(**other)))
    with pytest.raises(Unsupported, match="trained on other features"):
        MlpPredictor("own").predict(context())


def test_without_onnxruntime_it_is_unsupported(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.register(own, "own")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(Unsupported, match="onnxruntime cannot be used"):
        MlpPredictor("own")


def test_without_the_shipped_model_it_is_unsupported(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "registry.json").write_text('{"schema": 1, "models": []}')
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(Unsupported, match=r"^the model mlp_v1 is not registered$"):
        MlpPredictor()


# --- Which model ---------------------------------------------------------------------------------------------------------


def test_a_model_that_is_none_or_no_predictor_is_the_users_mistake(own: Path) -> None:
    with pytest.raises(UserError, match="no model 'mine' is registered; there is: population_v2"):
        MlpPredictor("mine")
    with pytest.raises(UserError, match="population_v2 is of kind population, not predictor"):
        MlpPredictor("population_v2")


def test_a_broken_file_is_one_line(own: Path) -> None:
    build.register(own, "own", b"garbage")
    with pytest.raises(VmafTuneError, match="model own is not a whole ONNX file"):
        MlpPredictor("own")


def run(
    folder: Path, settings: dict[str, Any] | None = None, predictor: str | None = None
) -> tuple[PluginRun, list[str]]:
    said: list[str] = []
    tables = {"mlp": settings} if settings is not None else {}
    choice = PluginChoice(settings=tables, settings_origins={"mlp": "my.toml"}, predictor=predictor)
    return PluginRun(PluginManager(), choice, folder, said.append), said


def test_a_name_in_the_settings_that_is_no_predictor_ends_the_run_at_once(own: Path, tmp_path: Path) -> None:
    build.register(own, "own")
    for name in ("mine", "population_v2"):
        with pytest.raises(UserError, match=rf"^my\.toml: plugins\.mlp: model = '{name}': no such predictor .*own$"):
            run(tmp_path, {"model": name})
    with pytest.raises(UserError, match="model"):
        run(tmp_path, {"modell": "own"})


def test_a_broken_registry_ends_a_run_that_names_a_model_of_it(own: Path, tmp_path: Path) -> None:
    own.mkdir()
    (own / "registry.json").write_text("{")
    with pytest.raises(UserError, match=r"registry\.json is no registry of models"):
        run(tmp_path, {"model": "own"})


def test_the_default_needs_no_registry() -> None:
    assert Settings().model == "mlp_v1"


def test_a_run_with_a_model_of_the_users_own_uses_it(own: Path, tmp_path: Path) -> None:
    build.register(own, "own")
    plugins, said = run(tmp_path, {"model": "own"})
    curve = plugins.predict(context())
    assert curve.predictor == f"mlp@{models.find('own').version}" and said == []
    assert curve.bare.mean == pytest.approx(np.interp(WITHIN, knots(1), at_knots(1)), abs=1e-4)


def test_a_run_falls_back_and_says_why(own: Path, tmp_path: Path) -> None:
    build.register(own, "own")
    plugins, said = run(tmp_path, {"model": "own"})
    curve = plugins.predict(context(encoder="libx265"))
    assert not curve.predictor.startswith("mlp@") and said == []
    assert curve.bare.note is not None and curve.bare.note.startswith("mlp: libx265 was not trained on")


def test_a_model_that_was_changed_is_left_out_or_ends_the_run_that_named_mlp(own: Path, tmp_path: Path) -> None:
    build.register(own, "own")
    (own / "own.onnx").write_bytes(b"another")
    plugins, said = run(tmp_path, {"model": "own"})
    assert not plugins.predict(context()).predictor.startswith("mlp@")
    assert len(said) == 1 and "sha256 differs" in said[0] and "switched off for this run" in said[0]
    with pytest.raises(PluginError, match="sha256 differs"):
        run(tmp_path, {"model": "own"}, predictor="mlp")[0].predict(context())

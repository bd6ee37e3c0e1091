"""``verify`` finds everything that would keep a registered model from predicting."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models import build
from tests.tiny import build as tiny
from vmaftune import models
from vmaftune.errors import VmafTuneError
from vmaftune.models.verify import verify


def bad(own: Path, content: bytes | None = None, **fields: Any) -> str:
    build.register(own, "mine", content, **fields)
    with pytest.raises(VmafTuneError) as caught:
        verify(models.find("mine"))
    return str(caught.value)


def test_every_shipped_model_is_whole() -> None:
    for model in models.entries():
        assert "model and data have their sha256" in verify(model)


def test_a_right_network_is_well(own: Path) -> None:
    build.register(own, "mine", card=b"# mine\n")
    assert "4 curves of 5 knots are finite and fall" in verify(models.find("mine"))


@pytest.mark.parametrize("name", ["mine.onnx", "mine.rows", "mine.md"])
def test_a_file_that_is_gone_is_found(own: Path, name: str) -> None:
    build.register(own, "mine", card=b"# mine\n")
    (own / name).unlink()
    with pytest.raises(VmafTuneError, match=f"{name} of model mine cannot be read"):
        verify(models.find("mine"))


@pytest.mark.parametrize("name", ["mine.onnx", "mine.rows"])
def test_a_file_that_was_changed_is_found(own: Path, name: str) -> None:
    build.register(own, "mine")
    (own / name).write_bytes((own / name).read_bytes() + b" ")
    with pytest.raises(VmafTuneError, match=f"{name} of model mine is not the file that was registered"):
        verify(models.find("mine"))


def test_a_wheel_has_no_data_of_shipped_models_but_data_that_is_there_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.register(tmp_path, "ours")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    (tmp_path / "ours.rows").write_bytes(b"others")
    with pytest.raises(VmafTuneError, match="sha256 differs"):
        verify(models.find("ours"))
    (tmp_path / "ours.rows").unlink()
    assert "its data is not installed" in verify(models.find("ours"))


def test_what_is_no_onnx_is_found(own: Path) -> None:
    assert "not a whole ONNX file" in bad(own, b"garbage")


def test_other_features_are_found(own: Path) -> None:
    text = bad(own, build.network(metadata=build.contract(feature_schema=99)))
    assert text == "model mine was made for other features (schema 99); train it again"


def changed(array: np.ndarray, at: tuple[int, ...], value: float) -> np.ndarray:
    array = array.copy()
    array[at] = value
    return array


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: build.network(mean=changed(build.means(), (1, 3), np.nan)), "has a value that is no number"),
        (
            lambda: build.network(covariance=changed(build.covariances(), (2, 0, 0), np.inf)),
            "has a value that is no number",
        ),
        (lambda: build.network(mean=changed(build.means(), (1, 3), 99.0)), "curve of libx264 medium rises by "),
        (
            lambda: build.network(covariance=changed(build.covariances(), (3, 0, 1), 9.0)),
            "own_encoder has .* not symmetric",
        ),
        (lambda: build.network(covariance=-build.covariances()), "is not positive semi-definite"),
    ],
)
def test_a_prediction_that_breaks_the_contract_is_found(own: Path, make: Callable[[], bytes], why: str) -> None:
    build.register(own, "mine", make())
    with pytest.raises(VmafTuneError, match=why):
        verify(models.find("mine"))


def test_a_certain_curve_is_well(own: Path) -> None:
    build.register(own, "mine", build.network(covariance=0 * build.covariances()))
    assert "finite and fall" in verify(models.find("mine"))


def test_a_model_of_kind_fr_is_a_tiny_one(own: Path) -> None:
    build.register(own, "mine", tiny.plane(), kind="fr")
    assert "it keeps its contract; from a poor picture to a good one it says VMAF" in verify(models.find("mine"))
    assert "not a whole ONNX file" in bad(own, b"garbage", kind="fr")
    assert bad(own, build.network(), kind="fr") == "model mine: inputs are features, curve; a tiny model has one"
    assert "gives a poor picture VMAF" in bad(own, tiny.plane(-1.0), kind="fr")


def test_a_population_must_be_a_table(own: Path) -> None:
    assert "is no population table" in bad(own, b"{", kind="population", opset=None)
    build.register(own, "mine", models.load("population_v2")[1], kind="population", opset=None)
    assert "curves can be read" in verify(models.find("mine"))

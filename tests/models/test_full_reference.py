"""Any ONNX model that takes canonical-6 and gives VMAF is used; any other is refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models import build as networks
from tests.tiny.build import made_table, mixed, plane
from vmaftune import models
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.models.full_reference import FrameScorer, TinyModel, open_tiny_model
from vmaftune.tiny.evaluate import said_of

TABLE = made_table(2, 2)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    monkeypatch.setenv("VMAFTUNE_MODELS", str(folder))
    return folder


@pytest.mark.parametrize("output", [("frames", 1), ("frames",)])
def test_a_model_of_the_contract_is_used_in_any_order_of_rows(output: tuple[str, ...]) -> None:
    model = TinyModel(plane(output=output), "plane")
    wanted = 10.0 * TABLE.features[:, :5].sum(axis=1) + 40.0
    assert model.scores(TABLE.features) == pytest.approx(wanted, abs=1e-4)
    assert model.scores(TABLE.features[:1]) == pytest.approx(wanted[:1], abs=1e-4)
    assert model.contract is None
    order = np.random.default_rng(0).permutation(len(TABLE))
    assert said_of(model, mixed(TABLE, order)) == pytest.approx(wanted[order], abs=1e-4)
    frame = FrameScorer(model)
    assert [frame(row) for row in TABLE.features] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (plane(inputs=5), "plane: input given is tensor.float. of shape .*any number of rows of 6"),
        (plane(rows=1, output=(1, 1)), "plane: input given is .* shape .1, 6."),
        (plane(output=("frames", 1, 1)), "plane: output said is"),
        (networks.network(), "plane: inputs are features, curve; a tiny model has one"),
        (b"garbage", "plane is not a whole ONNX file"),
    ],
)
def test_another_contract_is_one_line(content: bytes, why: str) -> None:
    with pytest.raises(VmafTuneError, match=why) as caught:
        TinyModel(content, "plane")
    assert "\n" not in str(caught.value)


def test_features_that_are_no_numbers_are_one_line() -> None:
    features = TABLE.features.copy()
    features[3, 5] = np.nan
    with pytest.raises(UserError, match="frame 3: motion2 is not a finite number; plane cannot score it"):
        TinyModel(plane(), "plane").scores(features)


def test_a_score_that_is_no_number_is_one_line() -> None:
    with pytest.raises(VmafTuneError, match="plane gave no number for some of 96 frames"):
        TinyModel(plane(np.inf), "plane").scores(TABLE.features)


def test_a_model_is_named_or_a_file(own: Path, tmp_path: Path) -> None:
    networks.register(own, "mine", plane(), kind="fr")
    networks.register(own, "curves")
    (tmp_path / "a.onnx").write_bytes(plane())
    assert open_tiny_model("mine")[1] == open_tiny_model(str(tmp_path / "a.onnx"))[1]
    with pytest.raises(UserError, match=r"model curves is of kind predictor, not fr; those of kind fr are .*mine"):
        open_tiny_model("curves")
    with pytest.raises(models.UnknownModel, match="no model 'nobody' is registered"):
        open_tiny_model("nobody")
    with pytest.raises(UserError, match=r"cannot open .*b\.onnx: No such file"):
        open_tiny_model(str(tmp_path / "b.onnx"))
    (own / "mine.onnx").write_bytes(plane(2.0))
    with pytest.raises(UserError, match=r"mine\.onnx of model mine is not the file that was registered"):
        open_tiny_model("mine")

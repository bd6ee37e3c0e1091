"""``latest-stable``: what it means, how that is changed, and what happens where it means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmaftune_plugins.predictors.mlp_curves import MlpPredictor
from vmaftune_plugins.predictors.mlp_settings import Settings

from tests.models import build
from vmaftune import models
from vmaftune.errors import UserError


def test_nothing_promoted_means_the_shipped_predictor(own: Path) -> None:
    assert models.find("latest-stable").id == "mlp_v1" and models.promoted(own) == ()
    assert MlpPredictor("latest-stable").version == MlpPredictor("mlp_v1").version


def test_promotion_and_rollback_change_what_predicts(own: Path) -> None:
    for name in ("first", "second"):
        build.register(own, name)
        models.promote(own, name, before="mlp_v1")
    assert models.find("latest-stable").id == "second"
    assert Settings(model="latest-stable").model == "latest-stable"
    assert MlpPredictor("latest-stable").version.startswith("second-")
    assert models.rollback(own) == ("second", "first")
    assert MlpPredictor("latest-stable").version.startswith("first-")
    assert models.rollback(own) == ("first", "mlp_v1")
    with pytest.raises(UserError, match="latest-stable is mlp_v1, and no model before it is known"):
        models.rollback(own)


def test_without_a_promotion_there_is_nothing_to_roll_back(own: Path) -> None:
    with pytest.raises(UserError, match="nothing was promoted to latest-stable"):
        models.rollback(own)


def test_a_promotion_of_what_is_stable_already_changes_nothing(own: Path) -> None:
    for name in ("a", "b", "b", "c", "d"):
        models.promote(own, name)
    assert models.promoted(own) == ("b", "c", "d"), "the last ones are remembered, each once"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema":1,"promoted":"x"}', b'{"schema":2,"promoted":[]}'])
def test_a_broken_file_is_one_line_and_harms_no_other_model(own: Path, content: bytes) -> None:
    own.mkdir()
    (own / "latest-stable.json").write_bytes(content)
    for act in (lambda: models.find("latest-stable"), lambda: models.promote(own, "x"), lambda: models.rollback(own)):
        with pytest.raises(UserError, match=r"latest-stable\.json .*; remove it"):
            act()
    assert models.find("mlp_v1").id == "mlp_v1"


def test_a_model_that_is_gone(own: Path) -> None:
    build.register(own, "mine")
    models.promote(own, "mine")
    models.forget(own, ["mine"])
    with pytest.raises(
        models.UnknownModel, match="latest-stable is mine, which is not registered; vmaf-tune models promote"
    ):
        models.find("latest-stable")


def test_no_model_can_be_called_so(own: Path) -> None:
    with pytest.raises(ValueError, match="latest-stable always means another model"):
        build.entry("latest-stable", b"")


def test_forgetting_leaves_the_files_that_others_name(own: Path) -> None:
    build.register(own, "a")
    build.register(own, "b", data=b"rows\n")
    entry, files = build.entry("c", build.network(), data=b"rows\n")
    shared = {**{k: v for k, v in files.items() if k != "c.rows"}, "a.rows": b"rows\n"}
    models.register(own, build.entry("c", build.network())[0].__class__(**{**_fields(entry), "data": "a.rows"}), shared)
    models.forget(own, ["a", "nobody"])
    there = {path.name for path in own.iterdir()}
    assert "a.onnx" not in there and {"a.rows", "b.onnx", "c.onnx"} <= there
    assert [model.id for model in models.entries() if model.origin == "own"] == ["b", "c"]


def _fields(entry: models.ModelEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}

"""What trees have learned of one encoder: the last captures, and the model that was made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from vmaftune_plugins.sidecars import learned
from vmaftune_plugins.sidecars.gbdt_fit import RECIPE, Model
from vmaftune_plugins.sidecars.learned import Learned
from vmaftune_plugins.sidecars.older import upgraded
from vmaftune_plugins.sidecars.statefile import StateFile

from vmaftune.contract.features import NAMES

SCHEMA_VERSION = 2


class State(Learned, frozen=True, kw_only=True, omit_defaults=True):
    """State of one predictor version and encoder; fields as in Learned: of SCHEMA_VERSION, from NAMES, and:

    Attributes:
        model: what was last made of the history; None before the first time, and in what goes to another host.
        model_sha256: of the model as JSON. LightGBM reads no text that it or somebody else has spoilt.
    """

    model: Model | None = None
    model_sha256: str = ""


def state_file(
    folder: Path, predictor_version: str, encoder: str, grain: float, warn: Callable[[str], None]
) -> StateFile[State]:
    """The file that holds it.

    Args:
        folder: ``<cache>/vmaf-tune/gbdt-sidecar``.
        grain: of a state with nothing learned.
        warn: told when the file cannot be used.
    """
    empty = State(
        schema_version=SCHEMA_VERSION,
        predictor_version=predictor_version,
        host_uuid="",
        feature_names=NAMES,
        **learned.written(grain),
    )
    return StateFile(
        folder,
        predictor_version,
        encoder,
        empty=lambda: empty,
        upgraded=partial(upgraded, schema_version=SCHEMA_VERSION),
        problem=lambda state: learned.problem(state, empty),
        warn=warn,
    )


def with_model(state: State, model: Model) -> State:
    """The state with that model; as it is where it has other captures meanwhile."""
    if model.history_sha256 != history_sha256(state):
        return state
    return msgspec.structs.replace(state, model=model, model_sha256=_sha256(model))


def model_in(state: State) -> Model | None:
    """The model that was made of its captures; None where there is none, or it is not as it was written."""
    model = state.model
    if model is None or (model.recipe, model.history_sha256) != (RECIPE, history_sha256(state)):
        return None
    return model if _sha256(model) == state.model_sha256 else None


def history_sha256(state: State) -> str:
    """Of the captures that it has."""
    return hashlib.sha256(msgspec.json.encode(state.history)).hexdigest()


def _sha256(model: Model) -> str:
    return hashlib.sha256(msgspec.json.encode(model)).hexdigest()

"""What trees have learned of one encoder: the last captures, and the model that was made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
from vmaftune_plugins.sidecars import learned
from vmaftune_plugins.sidecars.gbdt_fit import RECIPE, Model
from vmaftune_plugins.sidecars.history import HistoryRow
from vmaftune_plugins.sidecars.learned import Learned, Tally, appended, counted, joined, summed
from vmaftune_plugins.sidecars.statefile import StateFile

from vmaftune.features.schema import NAMES

SCHEMA_VERSION = 1


class State(Learned, frozen=True, kw_only=True, omit_defaults=True):
    """State of one predictor version and encoder; fields as in Learned: of SCHEMA_VERSION, from NAMES, and:

    Attributes:
        model: what was last made of the history; None before the first time, and in what goes to another host.
        model_sha256: of the model as JSON. LightGBM reads no text that it or somebody else has spoilt.
    """

    model: Model | None = None
    model_sha256: str = ""


def state_file(folder: Path, predictor_version: str, encoder: str, warn: Callable[[str], None]) -> StateFile[State]:
    """The file that holds it.

    Args:
        folder: ``<cache>/vmaf-tune/gbdt-sidecar``.
        warn: told when the file cannot be used.
    """
    empty = State(schema_version=SCHEMA_VERSION, predictor_version=predictor_version, host_uuid="", feature_names=NAMES)
    return StateFile(
        folder,
        predictor_version,
        encoder,
        empty=lambda: empty,
        problem=lambda state: learned.problem(state, empty),
        warn=warn,
    )


def add(state: State, row: HistoryRow, *, history_rows: int, folder: Path) -> State:
    """The state with one capture more, of which the model knows nothing yet.

    Args:
        history_rows: captures that are kept.
        folder: that holds the host's identifier.
    """
    tally = counted(state.presets.get(row.preset or "", Tally()), row)
    return _trimmed(appended(state, row, {**state.presets, row.preset or "": tally}, folder), history_rows)


def merged(state: State, other: State, *, history_rows: int, bundle: str, folder: Path) -> State:
    """Both together: the last captures of the two. A model of another host is not taken.

    Args:
        bundle: hash of what ``other`` came in.
        folder: that holds the host's identifier.
    """
    theirs = {name: summed(state.presets.get(name, Tally()), tally) for name, tally in other.presets.items()}
    presets = {**state.presets, **theirs}
    return _trimmed(joined(state, other, presets, bundle=bundle, folder=folder), history_rows)


def with_model(state: State, model: Model) -> State:
    """The state with that model; as it is where it was forgotten, or has a later one, meanwhile."""
    if state.captures < model.captures or (state.model is not None and state.model.captures > model.captures):
        return state
    return msgspec.structs.replace(state, model=model, model_sha256=_sha256(model))


def model_in(state: State) -> Model | None:
    """The model that was made of all its captures; None where there is none, or it is not as it was written."""
    model = state.model
    if model is None or (model.recipe, model.captures) != (RECIPE, state.captures):
        return None
    return model if _sha256(model) == state.model_sha256 else None


def _sha256(model: Model) -> str:
    return hashlib.sha256(msgspec.json.encode(model)).hexdigest()


def _trimmed(state: State, history_rows: int) -> State:
    return msgspec.structs.replace(state, history=state.history[-history_rows:])

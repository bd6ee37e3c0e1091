"""What corrections keep of one encoder, whatever they make of it: its last captures."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import numpy as np
from vmaftune_plugins.sidecars.history import LAST_UNIX_SECONDS, HistoryRow, source_features, sources_of, united
from vmaftune_plugins.sidecars.statefile import host_uuid

from vmaftune.contract.features import NAMES

_DAY_SECONDS = 86400.0
_FARTHEST_FEATURE = 4.0  # Features.scaled clips there
_CLOCKS_DIFFER_SECONDS = 2 * _DAY_SECONDS


class Learned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was learned with one predictor version of one encoder.

    Attributes:
        schema_version: of the kind of state.
        predictor_version: version whose residuals these are.
        host_uuid: random; says nothing of the machine.
        feature_names: what the state was learned from.
        history: captures, each once, the oldest first.
        grain: that differences between their scores are in; that of VMAF where it is not written.
    """

    schema_version: int
    predictor_version: str
    host_uuid: str
    feature_names: tuple[str, ...]
    history: list[HistoryRow] = []
    grain: Annotated[float, msgspec.Meta(gt=0.0, le=1e6)] = 1.0

    @property
    def captures(self) -> int:
        return len(self.history)

    @property
    def sources(self) -> int:
        """How many there are of it; one at two presets counts twice, and an absurd capture makes none."""
        rows = [row for row in self.history if not row.absurd]
        return len({(source, row.preset) for source, row in zip(sources_of(rows), rows, strict=True)})


AnyLearned = TypeVar("AnyLearned", bound=Learned)


def written(grain: float) -> dict[str, float]:
    """The grain as a field of a state with nothing learned; none for that of VMAF, which is not written."""
    return {} if grain == 1.0 else {"grain": grain}


def problem(state: Learned, empty: Learned) -> str | None:
    """Why a state cannot be used where ``empty`` is one with nothing learned; None where it can."""
    if state.schema_version != empty.schema_version:
        return f"has schema version {state.schema_version}, this is {empty.schema_version}"
    if state.predictor_version != empty.predictor_version:
        return f"belongs to predictor {state.predictor_version}"
    if state.feature_names != empty.feature_names:
        return "was learned from other features"
    if not {len(row.features) for row in state.history} <= {4 * len(NAMES)}:
        return "has features of the wrong shape"
    if not (np.abs(source_features(state.history)) <= _FARTHEST_FEATURE).all():
        return "has features that none can have"
    return None


def with_captures(state: AnyLearned, rows: Iterable[HistoryRow], history_rows: int, folder: Path) -> AnyLearned:
    """The state with these captures in it; those that it has are not added again.

    Args:
        history_rows: captures that are kept.
        folder: that holds the host's identifier.
    """
    return msgspec.structs.replace(
        state, host_uuid=state.host_uuid or host_uuid(folder), history=united([*state.history, *rows], history_rows)
    )


def anonymous(state: AnyLearned) -> AnyLearned:
    """The same without the host's identifier, and with days for times: none of them later than today."""
    now = time.time()
    days = (min(row.timestamp, now) // _DAY_SECONDS * _DAY_SECONDS for row in state.history)
    history = [msgspec.structs.replace(row, timestamp=day) for row, day in zip(state.history, days, strict=True)]
    return msgspec.structs.replace(state, host_uuid="", history=history)


def check_times(seconds: Sequence[float]) -> None:
    """Raise ValueError unless captures of another host can be of these Unix times: not before 1970, nor after today."""
    latest = min(time.time() + _CLOCKS_DIFFER_SECONDS, LAST_UNIX_SECONDS)
    for each in seconds:
        if not 0.0 <= each <= latest:
            raise ValueError(f"it holds a capture of a time that cannot be ({each:g} seconds after 1970)")

"""What corrections keep of one encoder, whatever they make of it: the last captures, and how many there ever were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from vmaftune_plugins.sidecars.history import HistoryRow, source_features
from vmaftune_plugins.sidecars.statefile import host_uuid

from vmaftune.features.schema import NAMES

_DAY_SECONDS = 86400.0
_FARTHEST_FEATURE = 4.0  # Features.scaled clips there


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Captures of one preset that were ever made: how many, of how many sources; ``absurd`` ones count for nothing else."""

    captures: int = 0
    sources: int = 0
    absurd: int = 0


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned with one predictor version of one encoder.

    Attributes:
        schema_version: of the kind of state.
        predictor_version: version whose residuals these are.
        host_uuid: random; says nothing of the machine.
        feature_names: what the state was learned from.
        presets: what is known of each preset; "" where the encoder has none.
        history: the last captures, oldest first.
        imported: bundles that were taken in, by their hash.
    """

    schema_version: int
    predictor_version: str
    host_uuid: str
    feature_names: tuple[str, ...]
    presets: Mapping[str, Tally] = {}
    history: list[HistoryRow] = []
    imported: tuple[str, ...] = ()

    @property
    def captures(self) -> int:
        return sum(tally.captures for tally in self.presets.values())

    @property
    def sources(self) -> int:
        return sum(tally.sources for tally in self.presets.values())


AnyLearned = TypeVar("AnyLearned", bound=Learned)
AnyTally = TypeVar("AnyTally", bound=Tally)


def problem(state: Learned, empty: Learned) -> str | None:
    """Why a state cannot be used where ``empty`` is one with nothing learned; None where it can."""
    if state.schema_version != empty.schema_version:
        return f"has schema version {state.schema_version}, this is {empty.schema_version}"
    if state.predictor_version != empty.predictor_version:
        return f"belongs to predictor {state.predictor_version}"
    if state.feature_names != empty.feature_names:
        return "was learned from other features"
    if not {len(row.features) for row in state.history} <= {4 * len(NAMES)}:
        return "has statistics of the wrong shape"
    held = Counter(row.preset or "" for row in state.history)
    if any(name not in state.presets or state.presets[name].captures < count for name, count in held.items()):
        return "has captures that it does not count"
    if not (np.abs(source_features(state.history)) <= _FARTHEST_FEATURE).all():
        return "has features that none can have"
    return None


def anonymous(state: AnyLearned) -> AnyLearned:
    """The same without the host's identifier, and with days for times."""
    history = [msgspec.structs.replace(r, timestamp=r.timestamp // _DAY_SECONDS * _DAY_SECONDS) for r in state.history]
    return msgspec.structs.replace(state, host_uuid="", history=history, imported=())


def counted(tally: AnyTally, row: HistoryRow) -> AnyTally:
    """The tally with one capture more."""
    return msgspec.structs.replace(
        tally, captures=tally.captures + 1, sources=tally.sources + row.first, absurd=tally.absurd + row.absurd
    )


def summed(mine: AnyTally, theirs: Tally) -> AnyTally:
    """Both counted together; all else is as in ``mine``."""
    return msgspec.structs.replace(
        mine,
        captures=mine.captures + theirs.captures,
        sources=mine.sources + theirs.sources,
        absurd=mine.absurd + theirs.absurd,
    )


def appended(state: AnyLearned, row: HistoryRow, presets: Mapping[str, Tally], folder: Path) -> AnyLearned:
    """The state with one capture more at the end of its history.

    Args:
        presets: as they are with it.
        folder: that holds the host's identifier.
    """
    return msgspec.structs.replace(
        state, host_uuid=state.host_uuid or host_uuid(folder), presets=presets, history=[*state.history, row]
    )


def joined(state: AnyLearned, other: Learned, presets: Mapping[str, Tally], *, bundle: str, folder: Path) -> AnyLearned:
    """The state with the history of another in it, by time.

    Args:
        presets: of both together.
        bundle: hash of what ``other`` came in.
        folder: that holds the host's identifier.
    """
    return msgspec.structs.replace(
        state,
        host_uuid=state.host_uuid or host_uuid(folder),
        presets=presets,
        history=sorted([*state.history, *other.history], key=lambda row: row.timestamp),
        imported=(*state.imported, bundle),
    )

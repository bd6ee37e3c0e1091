"""States and bundles of the version before: which captures they held.

Those kept sums over captures that had left the history beside it. Which captures are in such sums nobody can tell, so they
cannot be united with others: only the history, the last captures, is taken over.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from vmaftune_plugins.sidecars.history import LAST_UNIX_SECONDS, HistoryRow, source_features, united

from vmaftune.contract.features import NAMES


class _Version(msgspec.Struct):
    schema_version: int


class _Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    features: bytes
    preset: str | None
    position: float
    residual: float
    deviation: float
    left: float
    terms: Any
    innovation: Any
    first: Any
    timestamp: float


class _State(msgspec.Struct, frozen=True, kw_only=True):
    predictor_version: str
    host_uuid: str
    feature_names: tuple[str, ...]
    history: list[_Row] = []


def upgraded(content: bytes, schema_version: int) -> bytes:
    """A state as ``schema_version`` has it, where ``content`` is of the version before; else ``content`` itself.

    Raises:
        msgspec.DecodeError: it cannot be read.
    """
    if msgspec.json.decode(content, type=_Version).schema_version != schema_version - 1:
        return content
    old = msgspec.json.decode(content, type=_State)
    rows = [
        HistoryRow(
            features=row.features,
            preset=row.preset,
            position=row.position,
            observed=None,
            residual=row.residual,
            deviation=row.deviation,
            left=row.left,
            timestamp=min(max(row.timestamp, 0.0), LAST_UNIX_SECONDS),
        )
        for row in old.history
    ]
    right = all(len(row.features) == 4 * len(NAMES) for row in rows) and np.isfinite(source_features(rows)).all()
    history = united(rows, len(rows)) if right else rows  # which are refused for that
    fields = {**msgspec.structs.asdict(old), "history": history, "schema_version": schema_version}
    return msgspec.json.encode(fields)

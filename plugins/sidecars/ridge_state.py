"""What ridge has learned of one encoder: its last captures, and what they are to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from vmaftune_plugins.sidecars import learned
from vmaftune_plugins.sidecars.evidence import Evidence
from vmaftune_plugins.sidecars.learned import Learned
from vmaftune_plugins.sidecars.older import upgraded
from vmaftune_plugins.sidecars.statefile import StateFile

from vmaftune.contract import FloatArray
from vmaftune.contract.features import NAMES

SCHEMA_VERSION = 3
COLUMNS: tuple[str, ...] = ("level", "slope", "curvature", *NAMES, *(f"slope x {name}" for name in NAMES))
"""What a shift is made of: terms in CRF, features, and features times slope."""


class State(Learned, frozen=True, kw_only=True, omit_defaults=True):
    """State of one predictor version and encoder; fields as in Learned: of SCHEMA_VERSION, from COLUMNS."""


def state_file(
    folder: Path, predictor_version: str, encoder: str, grain: float, warn: Callable[[str], None]
) -> StateFile[State]:
    """The file that holds it.

    Args:
        folder: ``<cache>/vmaf-tune/sidecar``.
        grain: of a state with nothing learned.
        warn: told when the file cannot be used.
    """
    empty = State(
        schema_version=SCHEMA_VERSION,
        predictor_version=predictor_version,
        host_uuid="",
        feature_names=COLUMNS,
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


def columns(features: FloatArray, terms: FloatArray) -> FloatArray:
    """Rows of COLUMNS, shape (n, len(COLUMNS)).

    Args:
        features: on their fixed scale, shape (n, len(NAMES)).
        terms: level, slope and curvature, shape (n, TERMS).
    """
    return np.hstack([terms, terms[:, :1] * features, terms[:, 1:2] * features])


def design(evidence: Evidence) -> FloatArray:
    """What ridge sees of captures, shape (m, len(COLUMNS))."""
    return columns(evidence.features, evidence.terms)


def forgetting(half_life: float) -> float:
    """By which factor a source counts less with each capture that comes after its last one."""
    return 0.5 ** (1.0 / half_life) if half_life > 0 else 1.0

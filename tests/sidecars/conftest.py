"""A ridge sidecar in a folder of its own, and captures for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from vmaftune_plugins.sidecars.ridge import Settings
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection

from vmaftune.encoders.builtin import vmaftune_encoders
from vmaftune.features.schema import FEATURES, SCHEMA_VERSION, Features
from vmaftune.search.grid import crf_grid, crf_positions
from vmaftune.types import Capture, CurveContext, Prediction

SPECS = {spec.name: spec for spec in vmaftune_encoders()}
VERSION = "population_v2-0badcafe"

Make = Callable[..., RidgeCorrection]


def features(offset: float = 0.0) -> Features:
    values = tuple(scale.centre + offset * scale.spread for scale in FEATURES.values())
    return Features(schema=SCHEMA_VERSION, values=values)


def context(offset: float = 0.0, encoder: str = "libx264") -> CurveContext:
    spec = SPECS[encoder]
    return CurveContext(features=features(offset), encoder=spec, preset="medium", crfs=crf_grid(spec, None, None, None))


def prediction(n: int) -> Prediction:
    return Prediction(mean=np.linspace(99, 60, n), covariance=np.eye(n))


def capture(crf: float, residual: float, *, offset: float = 0.0, encoder: str = "libx264", at: float = 1e9) -> Capture:
    position = float(crf_positions(SPECS[encoder], np.array([crf]))[0])
    return Capture(
        features=features(offset),
        encoder=encoder,
        preset="medium",
        crf=crf,
        crf_position=position,
        predicted=90.0,
        deviation=1.5,
        corrected=90.0,
        observed=90.0 + residual,
        unix_seconds=at,
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(version: str = VERSION, settings: Settings | None = None, folder: Path | None = None) -> RidgeCorrection:
        return RidgeCorrection(settings or Settings(), folder or tmp_path / "sidecar", version, print)

    return make


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "sidecar" / VERSION / "libx264" / "state.json"

"""A ridge sidecar in a folder of its own, and sources, curves and captures for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.encoders import vmaftune_encoders
from vmaftune_plugins.sidecars.evidence import evidence_of
from vmaftune_plugins.sidecars.history import HistoryRow, row_of
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_settings import Settings
from vmaftune_plugins.sidecars.ridge_state import State, design

from vmaftune.contract import (
    Adjustment,
    Capture,
    CurveContext,
    FloatArray,
    Prediction,
)
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION, Features
from vmaftune.contract.positions import crf_positions
from vmaftune.crf_search.grid import crf_grid

SPECS = {spec.name: spec for spec in vmaftune_encoders()}
VERSION = "population_v2-0badcafe"
DEVIATION = 1.5
"""Of every prediction here, in VMAF."""

TEN = tuple(np.linspace(-1.0, 1.0, 10))
"""Feature offsets of ten sources."""

Make = Callable[..., RidgeCorrection]


def features(offset: float = 0.0) -> Features:
    """A source whose features all lie so many spreads from their centre."""
    return _features([offset] * len(NAMES))


def random_source(random: np.random.Generator) -> Features:
    """A source whose features lie anywhere within two spreads of their centre."""
    return _features(np.clip(random.normal(size=len(NAMES)), -2.0, 2.0))


def _features(offsets: Iterable[float]) -> Features:
    values = tuple(
        scale.centre + offset * scale.spread for scale, offset in zip(FEATURES.values(), offsets, strict=True)
    )
    return Features(schema=SCHEMA_VERSION, values=values)


def context(
    source: float | Features = 0.0, encoder: str = "libx264", preset: str | None = "medium", step: float = 2.0
) -> CurveContext:
    spec = SPECS[encoder]
    of_source = source if isinstance(source, Features) else features(source)
    return CurveContext(features=of_source, encoder=spec, preset=preset, crfs=crf_grid(spec, None, None, step))


def prediction(asked: CurveContext) -> Prediction:
    """A curve that falls, known to DEVIATION, whose errors at near CRFs are alike."""
    return Prediction(mean=np.linspace(99.0, 60.0, len(asked.crfs)), covariance=smooth(asked))


def smooth(asked: CurveContext) -> FloatArray:
    at = crf_positions(asked.encoder, asked.crfs)
    return DEVIATION**2 * np.exp(-0.5 * ((at[:, None] - at[None, :]) / 0.35) ** 2)


def capture(
    crf: float,
    residual: float,
    *,
    source: float | Features = 0.0,
    encoder: str = "libx264",
    preset: str | None = "medium",
    corrected: float = 0.0,
    at: float | None = None,
) -> Capture:
    """A score that lies ``residual`` above the prediction, and which a correction of ``corrected`` VMAF was made for; now,
    unless said otherwise."""
    return Capture(
        features=source if isinstance(source, Features) else features(source),
        encoder=encoder,
        preset=preset,
        crf=crf,
        crf_position=float(crf_positions(SPECS[encoder], np.array([crf]))[0]),
        predicted=80.0,
        deviation=DEVIATION,
        corrected=80.0 + corrected,
        observed=80.0 + residual,
        unix_seconds=time.time() if at is None else at,
    )


def on_ten_sources(
    residual: float, *, crfs: tuple[float, ...] = (16.0, 32.0), encoder: str = "libx264", preset: str | None = "medium"
) -> list[Capture]:
    """Every one of TEN missed by as much."""
    where = itertools.product(TEN, crfs)
    return [capture(crf, residual, source=source, encoder=encoder, preset=preset) for source, crf in where]


def learn(correction: RidgeCorrection, captures: Iterable[Capture]) -> RidgeCorrection:
    for each in captures:
        correction.learn(each)
    return correction


def adjustment(
    correction: RidgeCorrection,
    source: float | Features = 0.0,
    encoder: str = "libx264",
    preset: str | None = "medium",
) -> Adjustment:
    asked = context(source, encoder, preset)
    return correction.correct(asked, prediction(asked))


def shift(
    correction: RidgeCorrection,
    source: float | Features = 0.0,
    encoder: str = "libx264",
    preset: str | None = "medium",
) -> FloatArray:
    return adjustment(correction, source, encoder, preset).shift


def rows(captures: Iterable[Capture]) -> list[HistoryRow]:
    return [row_of(each) for each in captures]


def sums_of(history: list[HistoryRow]) -> tuple[FloatArray, FloatArray, float]:
    """Gram matrix, moments and sum of squares of what a history comes down to."""
    evidence = evidence_of(history)
    x = design(evidence)
    return x.T @ x, x.T @ evidence.innovations, float(evidence.innovations @ evidence.innovations)


def statistics(state: State) -> tuple[int, int, int, bytes, bytes, float]:
    """Captures, sources, absurd ones and exact sums."""
    gram, moments, squares = sums_of(state.history)
    absurd = sum(row.absurd for row in state.history)
    return state.captures, state.sources, absurd, gram.tobytes(), moments.tobytes(), squares


def state_in(path: Path) -> State:
    return msgspec.json.decode(path.read_bytes(), type=State)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A sidecar in ``<tmp_path>/sidecar``, or in another folder beside it; its warnings are printed."""

    def make(version: str = VERSION, folder: str = "sidecar", settings: Settings | None = None) -> RidgeCorrection:
        return RidgeCorrection(settings or Settings(), tmp_path / folder, version, print)

    return make


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "sidecar" / VERSION / "libx264" / "state.json"

"""Searches on curves that are given as functions: the real search and the real host, with no encode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vmaftune.encoders.spec import EncoderSpec
from vmaftune.features.schema import FEATURES, SCHEMA_VERSION, Features
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.search.engine import Observer, Outcome, search
from vmaftune.search.grid import crf_grid
from vmaftune.search.strategy import Goal
from vmaftune.types import ProbeRecord

Curve = Callable[[float], float]

FEATURES_OF_A_SOURCE = Features(schema=SCHEMA_VERSION, values=tuple(scale.centre for scale in FEATURES.values()))


def record(crf: float, vmaf: float, *, cached: bool = False, percent: float = 50.0) -> ProbeRecord:
    return ProbeRecord(
        crf=crf,
        vmaf=vmaf,
        bitrate_kbps=1000.0,
        encoded_percent=percent,
        encode_seconds=1.0,
        score_seconds=0.0,
        frames=10,
        cached=cached,
    )


class CurveProber:
    """Scores every CRF by a function, and remembers what was asked."""

    frames, samples = 10, 1

    def __init__(self, curve: Curve, cached: dict[float, float] | None = None, percent: Curve | None = None) -> None:
        self._curve, self._cached, self._percent = curve, cached or {}, percent or (lambda crf: 50.0)
        self.asked: list[float] = []

    def cached(self) -> dict[float, ProbeRecord]:
        return {crf: record(crf, vmaf, cached=True) for crf, vmaf in self._cached.items()}

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        self.asked.append(crf)
        return record(crf, self._curve(crf), percent=self._percent(crf))


@pytest.fixture(scope="session")
def manager() -> PluginManager:
    return PluginManager()


@pytest.fixture
def find(manager: PluginManager, tmp_path: Path) -> Callable[..., tuple[Outcome, CurveProber]]:
    """Search a curve; returns the outcome and the prober that was asked."""

    def find(
        curve: Curve,
        target: float = 93.0,
        *,
        encoder: str = "libx264",
        tolerance: float = 0.25,
        low: float | None = None,
        high: float | None = None,
        step: float | None = None,
        cached: dict[float, float] | None = None,
        plugins: tuple[str, ...] = (),
        max_percent: float | None = None,
        percent: Curve | None = None,
    ) -> tuple[Outcome, CurveProber]:
        spec: EncoderSpec = manager.encoders[encoder]
        prober = CurveProber(curve, cached, percent)
        outcome = search(
            features=FEATURES_OF_A_SOURCE,
            encoder=spec,
            preset=spec.default_preset,
            grid=crf_grid(spec, low, high, step),
            goal=Goal(target=target, tolerance=tolerance),
            max_encoded_percent=max_percent,
            prober=prober,
            plugins=PluginRun(manager, PluginChoice(on=plugins, strict=True), tmp_path, print),
            observer=Observer(),
        )
        return outcome, prober

    return find

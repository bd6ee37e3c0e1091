"""Searches on curves that are given as functions: the real search and the real host, with no encode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vmaftune.contract import ProbeRecord
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import FEATURES, SCHEMA_VERSION, Features
from vmaftune.crf_search.engine import Observer, Outcome, search
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.strategy import Goal
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun

Curve = Callable[[float], float]

DEVIATION = 0.2
"""That every part is said to have."""

FEATURES_OF_A_SOURCE = Features(schema=SCHEMA_VERSION, values=tuple(scale.centre for scale in FEATURES.values()))


def record(
    crf: float, vmaf: float, *, cached: bool = False, percent: float = 50.0, deviation: float = 0.0
) -> ProbeRecord:
    """A verifying probe, or an exploring one where its score deviates."""
    return ProbeRecord(
        purpose="explore" if deviation else "verify",
        crf=crf,
        score=vmaf,
        deviation=deviation,
        bitrate_kbps=1000.0,
        encoded_percent=percent,
        encode_seconds=1.0,
        score_seconds=0.0,
        frames=10,
        cached=cached,
    )


class CurveProber:
    """Scores every CRF by a function, and remembers what was asked.

    Args:
        part: gives the score of a part of the frames.
        share: what scoring a part costs; None where that cannot be.
        hints: exploring scores that the cache holds.
    """

    frames, samples = 10, 1

    def __init__(
        self,
        curve: Curve,
        cached: dict[float, float] | None = None,
        percent: Curve | None = None,
        part: Curve | None = None,
        share: float | None = None,
        hints: dict[float, float] | None = None,
    ) -> None:
        self._curve, self._cached, self._percent = curve, cached or {}, percent or (lambda crf: 50.0)
        self._part, self._hints, self.exploring_share = part or curve, hints or {}, share
        self.asked: list[float] = []
        self.explorations: list[float] = []

    def cached(self) -> dict[float, ProbeRecord]:
        return {crf: record(crf, vmaf, cached=True) for crf, vmaf in self._cached.items()}

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        self.asked.append(crf)
        return record(crf, self._curve(crf), percent=self._percent(crf))

    def explored(self) -> dict[float, ProbeRecord]:
        return {crf: record(crf, vmaf, cached=True, deviation=DEVIATION) for crf, vmaf in self._hints.items()}

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        assert not self.asked, "what was verified need not be explored"
        self.explorations.append(crf)
        return record(crf, self._part(crf), percent=self._percent(crf), deviation=DEVIATION)


@pytest.fixture(scope="session")
def manager() -> PluginManager:
    return PluginManager()


@pytest.fixture
def find(manager: PluginManager, tmp_path: Path) -> Callable[..., tuple[Outcome, CurveProber]]:
    """Search a curve; returns the outcome and the prober that was asked.

    ``blind`` does without a predictor, so that what comes out is the same whatever models are shipped.
    """

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
        part: Curve | None = None,
        share: float | None = None,
        hints: dict[float, float] | None = None,
        max_probes: int = 10,
        blind: bool = False,
    ) -> tuple[Outcome, CurveProber]:
        spec: EncoderSpec = manager.encoders[encoder]
        off = tuple(registration.name for registration in manager.of_kind("predictor")) if blind else ()
        prober = CurveProber(curve, cached, percent, part, share, hints)
        outcome = search(
            features=FEATURES_OF_A_SOURCE,
            encoder=spec,
            preset=spec.default_preset,
            grid=crf_grid(spec, low, high, step),
            goal=Goal(target=target, tolerance=tolerance, max_probes=max_probes),
            max_encoded_percent=max_percent,
            prober=prober,
            plugins=PluginRun(manager, PluginChoice(on=plugins, off=off, strict=True), tmp_path, print),
            observer=Observer(),
        )
        return outcome, prober

    return find

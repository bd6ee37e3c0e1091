"""The methods that are compared: our search in four ways, plain bisection, and ab-av1's rule."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from probes import Curve, SharedProbes
from rules import ab_av1, bisection
from summary import BISECTION, RULE, Tally

from vmaftune.contract import Capture, CurveContext, FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.engine import Observer, search
from vmaftune.crf_search.strategy import Goal
from vmaftune.host.manager import PluginManager
from vmaftune.host.pending import Lesson
from vmaftune.host.run import PluginChoice, PluginRun

TOLERANCE = 0.25

# Strict: a plugin that fails would be left out in silence, and something else be measured.
OURS = {
    "cold": PluginChoice(strict=True),
    "warm": PluginChoice(on=("ridge-sidecar",), strict=True),
    "population": PluginChoice(predictor="population", strict=True),
    "no-explore": PluginChoice(strict=True),
}
METHODS = (*OURS, BISECTION, RULE)


class _Watched(PluginRun):
    """Keeps what would be learned and teaches nobody, so that no search of the benchmark changes the next one."""

    def __init__(self, manager: PluginManager, choice: PluginChoice, folder: Path) -> None:
        super().__init__(manager, choice, folder, warn)
        self.captures: list[Capture] = []

    def lessons(self, curve: PredictedCurve, index: int, observed: float, unix_seconds: float) -> list[Lesson]:
        self.captures.append(curve.capture(index, observed, unix_seconds))
        return []


def run(method: str, curve: Curve, target: float, manager: PluginManager, state: Path) -> tuple[Tally, list[Capture]]:
    """One search by one of METHODS.

    Args:
        state: folder of what the host has learned; see teach.

    Returns:
        What it needed and found, and what a host would have learned from it.
    """
    tally = Tally(encoder=curve.encoder, target=target, clip=curve.clip, method=method)
    probes = SharedProbes(curve, tally, explore=method != "no-explore")
    if method in OURS:
        plugins = _Watched(manager, OURS[method], state)
        _search(curve, target, probes, plugins, tally)
        return tally, plugins.captures
    if method == BISECTION:
        place = bisection(curve.grid, probes.vmaf, target, TOLERANCE)
    else:
        place = ab_av1(curve.grid, probes.vmaf, target, curve.spec.step)
    if place is not None:
        tally.crf = float(curve.grid[place])
        tally.vmaf = curve.verified[tally.crf].score
    return tally, []


def teach(
    manager: PluginManager, state: Path, lessons: Iterable[Sequence[Capture]], spec: EncoderSpec, grid: FloatArray
) -> None:
    """Give the correction of ``warm`` the captures of other clips, as their searches would have done.

    Args:
        state: folder that it keeps what it learned in.
        lessons: captures of each clip.
    """
    for captures in lessons:
        # A run for each clip: the state belongs to the predictor that gave the clip its curve, and not all clips need have
        # the same one.
        plugins = PluginRun(manager, OURS["warm"], state, warn)
        first = captures[0]
        curve = plugins.predict(CurveContext(features=first.features, encoder=spec, preset=first.preset, crfs=grid))
        for capture in captures:
            plugins.learn(curve, int(np.argmin(np.abs(grid - capture.crf))), capture.observed, capture.unix_seconds)


def warn(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


def _search(curve: Curve, target: float, probes: SharedProbes, plugins: PluginRun, tally: Tally) -> None:
    outcome = search(
        features=curve.source.measured.features,
        encoder=curve.spec,
        preset=curve.source.settings.preset,
        grid=curve.grid,
        goal=Goal(target=target, tolerance=TOLERANCE),
        max_encoded_percent=None,
        prober=probes,
        plugins=plugins,
        observer=Observer(),
    )
    tally.feature_seconds = curve.feature_seconds
    tally.predictor = outcome.curve.predictor
    tally.captures = sum(adjustment.captures for adjustment in outcome.curve.adjustments.values())
    tally.predicted_crf = outcome.predicted_crf
    tally.stop = outcome.stop.reason
    if outcome.stop.met:
        tally.crf, tally.vmaf = outcome.best.crf, outcome.best.score

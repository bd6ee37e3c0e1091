"""What a correction learns, and from how little: on hosts unlike the corpus, and on hosts like it.

Every stream is a host that searches one source after another at VMAF 93, with the real search, the real host and the real
state files; only the probes are read off measured curves, with the encoder's own scatter added. The predictor saw none of the
sources. After so many captures the other sources of the domain are predicted, bare and corrected:

    error       mean absolute error of the curve where true VMAF is 80 to 98, mean over sources
    probes      of whole searches at 90, 93 and 96, verifying probes only
    absurd      the same error when one capture in twenty was absurd

Each domain is streamed in several orders over sources and heights; figures are means over them. Exit code 1 where a correction
made a domain worse by more than 3 % that is as the predictor was trained.

Trains nine predictors first (minutes, once); they and the results are kept in the output folder.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from domains import Curve, Domain, domains
from held_out import NAME as HELD_OUT
from held_out import entry_points

from vmaftune.contract import CurveContext, FloatArray, ProbeRecord
from vmaftune.crf_search.curve import PredictedCurve
from vmaftune.crf_search.engine import Observer, search
from vmaftune.crf_search.posterior import SCORE_NOISE_VMAF
from vmaftune.crf_search.strategy import Goal
from vmaftune.host.manager import PluginManager
from vmaftune.host.pending import Lesson
from vmaftune.host.run import PluginChoice, PluginRun

STREAM_TARGET = 93.0
TARGETS = (90.0, 93.0, 96.0)
TOLERANCE = 0.25
REGION = (80.0, 98.0)
MOST_RISE = 0.03
_ABSURD_EVERY = 20


class CurveProber:
    """Scores a CRF by a measured curve and the encoder's scatter, the same at every call."""

    frames, samples, exploring_share = 100, 1, None

    def __init__(self, grid: FloatArray, vmaf: FloatArray) -> None:
        self._vmaf = dict(zip(grid.tolist(), vmaf.tolist(), strict=True))
        self.count = 0

    def cached(self) -> dict[float, ProbeRecord]:
        return {}

    def explored(self) -> dict[float, ProbeRecord]:
        return {}

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        self.count += 1
        return ProbeRecord(
            purpose="verify",
            crf=crf,
            score=self._vmaf[crf],
            deviation=0.0,
            bitrate_kbps=1.0,
            encoded_percent=50.0,
            encode_seconds=1.0,
            score_seconds=0.0,
            frames=self.frames,
            cached=False,
        )

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        raise AssertionError("a search explores only where exploring_share is not None")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One stream.

    Attributes:
        bare, corrected, absurd: mean error over the other sources, in VMAF.
        bare_probes, corrected_probes: mean over their searches.
        sources: streamed.
    """

    domain: str
    plugin: str
    captures: int
    order: int
    bare: float
    corrected: float
    absurd: float
    bare_probes: float
    corrected_probes: float
    sources: int


class Host:
    """One host with a correction, and what it has learned.

    Args:
        plugin: the correction; None for none.
        folder: of its state.
    """

    def __init__(self, manager: PluginManager, plugin: str | None, folder: Path) -> None:
        self._manager, self._on, self._folder = manager, (plugin,) if plugin else (), folder

    def run(self, curve: Curve) -> PluginRun:
        return PluginRun(self._manager, self._choice(curve), self._folder, _tell)

    def _choice(self, curve: Curve) -> PluginChoice:
        return PluginChoice(on=self._on, predictor=HELD_OUT, settings={HELD_OUT: {"model": curve.model}}, strict=True)

    def predict(self, curve: Curve) -> tuple[PluginRun, PredictedCurve]:
        """A run, and the curve that it predicts."""
        run = self.run(curve)
        context = CurveContext(features=curve.features, encoder=curve.encoder, preset=curve.preset, crfs=curve.grid)
        return run, run.predict(context)

    def search(self, curve: Curve, target: float, vmaf: FloatArray) -> int:
        """Verifying probes that a search takes; what it scored is learned where there is a correction."""
        prober = CurveProber(curve.grid, vmaf)
        search(
            features=curve.features,
            encoder=curve.encoder,
            preset=curve.preset,
            grid=curve.grid,
            goal=Goal(target=target, tolerance=TOLERANCE),
            max_encoded_percent=None,
            prober=prober,
            plugins=self.run(curve),
            observer=Observer(),
        )
        return prober.count


class _Deaf(PluginRun):
    """Corrects and learns nothing."""

    def lessons(self, curve: PredictedCurve, index: int, observed: float, unix_seconds: float) -> list[Lesson]:
        return []


class DeafHost(Host):
    """A host whose searches teach it nothing, for evaluation."""

    def run(self, curve: Curve) -> PluginRun:
        return _Deaf(self._manager, self._choice(curve), self._folder, _tell)


def stream(manager: PluginManager, domain: Domain, plugin: str, captures: int, order: int, folder: Path) -> Result:
    """Teach one host and evaluate it on the sources that it did not meet."""
    chance = np.random.default_rng([order, captures])
    by_source = defaultdict(list)
    for curve in domain.curves:
        by_source[curve.source].append(curve)
    names = [sorted(by_source)[place] for place in chance.permutation(len(by_source))]
    chosen = [by_source[name][chance.integers(len(by_source[name]))] for name in names]
    streamed, rest = chosen[: len(chosen) * 2 // 3], chosen[len(chosen) * 2 // 3 :]
    plain, mad = Host(manager, plugin, folder / "plain"), Host(manager, plugin, folder / "mad")
    learned, met = 0, 0
    for curve in streamed:
        if learned >= captures:
            break
        if not _crosses(curve, STREAM_TARGET):
            continue
        met += 1
        vmaf = _scattered(curve, chance)
        before = learned
        learned += plain.search(curve, STREAM_TARGET, vmaf)
        mad.search(curve, STREAM_TARGET, vmaf)
        if before // _ABSURD_EVERY != learned // _ABSURD_EVERY:
            _teach_absurd(mad, curve, chance)
    errors = {
        label: _mean([_error(curve, host.predict(curve)[1]) for curve in rest])
        for label, host in (
            ("bare", DeafHost(manager, None, folder / "plain")),
            ("corrected", DeafHost(manager, plugin, folder / "plain")),
            ("absurd", DeafHost(manager, plugin, folder / "mad")),
        )
    }
    probes = defaultdict(list)
    for curve in rest:
        vmaf = _scattered(curve, chance)
        for target in TARGETS:
            if _crosses(curve, target):
                probes["bare"].append(DeafHost(manager, None, folder / "plain").search(curve, target, vmaf))
                probes["corrected"].append(DeafHost(manager, plugin, folder / "plain").search(curve, target, vmaf))
    return Result(
        domain=domain.name,
        plugin=plugin,
        captures=learned,
        order=order,
        bare_probes=_mean(probes["bare"]),
        corrected_probes=_mean(probes["corrected"]),
        sources=met,
        **errors,
    )


def _teach_absurd(host: Host, curve: Curve, chance: np.random.Generator) -> None:
    """One capture far off, such as from a broken file or a wrong reference."""
    plugins, predicted = host.predict(curve)
    place = int(np.argmin(np.abs(curve.truth - STREAM_TARGET)))
    wrong = float(chance.choice([0.0, 100.0, curve.truth[place] - 40.0, curve.truth[place] - 12.0]))
    plugins.learn(predicted, place, wrong, 0.0)


def _scattered(curve: Curve, chance: np.random.Generator) -> FloatArray:
    return np.clip(curve.truth + chance.normal(0.0, SCORE_NOISE_VMAF, len(curve.grid)), 0.0, 100.0)


def _crosses(curve: Curve, target: float) -> bool:
    inside = curve.truth[curve.measured]
    return bool(inside.min() < target < inside.max())


def _error(curve: Curve, predicted: PredictedCurve) -> float:
    inside = (curve.truth >= REGION[0]) & (curve.truth <= REGION[1]) & curve.measured
    if not inside.any():
        return float("nan")
    return float(np.abs(np.clip(predicted.corrected.mean, 0.0, 100.0) - curve.truth)[inside].mean())


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if len(values) else float("nan")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", default="ridge-sidecar", help="corrections, separated by commas")
    parser.add_argument("--captures", default="20", help="lengths of streams, separated by commas")
    parser.add_argument("--orders", type=int, default=8, help="streams of each domain")
    parser.add_argument("--domains", default="", help="only those whose name contains this")
    parser.add_argument("--output", type=Path, default=Path("out/bench-learning"), help="folder of models and results")
    arguments = parser.parse_args()
    os.environ["VMAFTUNE_MODELS"] = str((arguments.output / "models").absolute())
    manager = PluginManager(entry_points())
    results: list[Result] = []
    worse = False
    heading = f"{'':38s} captures sources  error bare  corrected   change   with absurd  probes bare  corrected"
    for plugin in arguments.plugins.split(","):
        print(f"{plugin}\n{heading}")
        for domain in domains(manager.encoders, _tell):
            if arguments.domains not in domain.name:
                continue
            for captures in map(int, arguments.captures.split(",")):
                with tempfile.TemporaryDirectory() as scratch:
                    own = [
                        stream(manager, domain, plugin, captures, order, Path(scratch) / str(order))
                        for order in range(arguments.orders)
                    ]
                results += own
                worse |= _print(domain.name, own) > MOST_RISE and not domain.shifted
    with (arguments.output / "learning.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Result.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(vars(result) for result in results)
    sys.exit(1 if worse else 0)


def _print(name: str, results: Sequence[Result]) -> float:
    """One line of the table; by which share the error changed."""
    numbers = [name for name in Result.__dataclass_fields__ if name not in ("domain", "plugin")]
    mean = {name: _mean([getattr(result, name) for result in results]) for name in numbers}
    change = mean["corrected"] / mean["bare"] - 1.0
    print(
        f"{name:38s} {mean['captures']:8.0f} {mean['sources']:7.1f} {mean['bare']:11.2f} {mean['corrected']:10.2f} "
        f"{100 * change:+7.0f} % {mean['absurd']:12.2f} {mean['bare_probes']:12.2f} {mean['corrected_probes']:10.2f}",
        flush=True,
    )
    return change


if __name__ == "__main__":
    main()

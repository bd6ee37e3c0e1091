"""How often the sidecar speaks of drift where there is none, and how often where there is: what its threshold rests on.

A host meets files of the shipped corpus, predicted by networks that knew nothing of them, two or three scores a file near VMAF
93, by the real plugin and its state files. Half the streams go on so; in the other half the host's files, or its encoder,
change after 60 captures. For several thresholds: the share of windows and of whole streams that were called drifting without
cause, and the share of changes that were called so within the next 50 captures, with the captures that took in the median.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from domains import Curve, domains
from held_out import entry_points
from learning import Host
from vmaftune_plugins.sidecars.drift import health
from vmaftune_plugins.sidecars.history import HistoryRow
from vmaftune_plugins.sidecars.ridge_state import state_file

from vmaftune.host.manager import PluginManager

THRESHOLDS = (1.2, 1.4, 1.6, 1.8, 2.0)
PLUGIN = "ridge-sidecar"
Change = Callable[[float], float]
_BEFORE, _AFTER, _WINDOW = 60, 50, 50
_FILES_BEFORE = 26  # about _BEFORE captures
_CHANGES: dict[str, Change] = {
    "encoder 3 VMAF worse": lambda vmaf: vmaf - 3.0,
    "encoder 6 VMAF worse": lambda vmaf: vmaf - 6.0,
}


class Watched(Host):
    """A host whose history can be read."""

    def history(self, encoder: str) -> list[HistoryRow]:
        return state_file(self._folder / "sidecar", "held-out", encoder, 1.0, print).read().history


def ratios(host: Watched, files: list[Curve], change: Change | None, chance: np.random.Generator) -> list[float]:
    """The ratio that drift is judged by after each capture; the last _AFTER come after the change, if there is one."""
    found: list[float] = []
    for curve in files:
        near = np.flatnonzero((curve.truth > 88.0) & (curve.truth < 97.0) & curve.measured)
        if not len(near):
            continue
        plugins, predicted = host.predict(curve)
        for place in chance.choice(near, size=min(len(near), int(chance.integers(2, 4))), replace=False):
            score = float(curve.truth[place] + chance.normal(0.0, 0.04))
            observed = change(score) if change is not None and len(found) >= _BEFORE else score
            plugins.learn(predicted, int(place), float(np.clip(observed, 0.0, 100.0)), 1e9)
            history = host.history(curve.encoder.name)
            found.append(health(history, _WINDOW, np.inf, now=1e9).ratio or 0.0)
        if len(found) >= _BEFORE + _AFTER:
            return found[: _BEFORE + _AFTER]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=12, help="of each kind")
    parser.add_argument("--output", type=Path, default=Path("out/bench-learning"), help="folder of models")
    arguments = parser.parse_args()
    os.environ["VMAFTUNE_MODELS"] = str((arguments.output / "models").absolute())
    manager = PluginManager(entry_points())
    by_name = {domain.name: domain.curves for domain in domains(manager.encoders, print)}
    plain = [curves for name, curves in by_name.items() if name.startswith("as trained")]
    grain = by_name.get("film grain added", [])

    def run(curves: list[Curve], change: Change | None, seed: int, then: Sequence[Curve] = ()) -> list[float]:
        chance = np.random.default_rng(seed)
        files = [curves[place] for place in chance.permutation(len(curves))]
        if then:
            files = [*files[:_FILES_BEFORE], *(then[place] for place in chance.permutation(len(then)))]
        with tempfile.TemporaryDirectory() as scratch:
            return ratios(Watched(manager, PLUGIN, Path(scratch)), files, change, chance)

    calm = [run(plain[n % len(plain)], None, n) for n in range(arguments.streams)]
    print("no change, share of windows / of streams that are called drifting:")
    for threshold in THRESHOLDS:
        windows = np.mean([value > threshold for stream in calm for value in stream[_WINDOW // 2 :]])
        streams = np.mean([any(value > threshold for value in stream[_WINDOW // 2 :]) for stream in calm])
        print(f"  threshold {threshold}: {100 * windows:.1f} % / {100 * streams:.0f} %")
    changed = {
        name: [run(plain[n % len(plain)], change, n) for n in range(arguments.streams)]
        for name, change in _CHANGES.items()
    }
    if grain:
        changed["another kind of file"] = [run(plain[0], None, n, grain) for n in range(arguments.streams)]
    for name, streams in changed.items():
        for threshold in THRESHOLDS:
            after = [next((k + 1 for k, v in enumerate(s[_BEFORE:]) if v > threshold), None) for s in streams]
            found = [k for k in after if k is not None]
            median = f", after {np.median(found):.0f} captures" if found else ""
            print(f"{name}, threshold {threshold}: {100 * len(found) / len(after):.0f} % noticed{median}")


if __name__ == "__main__":
    main()

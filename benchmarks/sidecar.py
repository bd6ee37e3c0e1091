"""What ridge-sidecar costs a search, encoding and scoring aside: the same search with it and without it, in turn (medians).

The state holds as many captures as it ever keeps. Prints the milliseconds that a whole search takes more, with their ratio to
the search without it, and those of one update: all of it, and the part that is not writing to the disk.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from learning import CurveProber

from vmaftune.contract import CurveContext
from vmaftune.contract.features import FEATURES, SCHEMA_VERSION, Features
from vmaftune.crf_search.engine import Observer, search
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.strategy import Goal
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.state import atomic

_SOURCES, _SCORES, _SEARCHES = 250, 2, 40


def main() -> None:
    manager, chance = PluginManager(), np.random.default_rng(0)
    spec = manager.encoders["libx264"]
    grid = crf_grid(spec, None, None, None)
    vmaf = np.clip(100.0 - 0.014 * np.maximum(grid - 9.0, 0.0) ** 2, 0.0, 100.0)
    updates: list[float] = []

    def source() -> Features:
        values = tuple(float(s.centre + s.spread * chance.normal() / 2) for s in FEATURES.values())
        return Features(schema=SCHEMA_VERSION, values=values)

    with tempfile.TemporaryDirectory() as scratch:

        def run(on: tuple[str, ...]) -> PluginRun:
            return PluginRun(manager, PluginChoice(on=on, strict=True), Path(scratch), print)

        def teach(sources: int) -> None:
            for _ in range(sources):
                context = CurveContext(features=source(), encoder=spec, preset="medium", crfs=grid)
                plugins = run(("ridge-sidecar",))
                curve = plugins.predict(context)
                for place in chance.choice(len(grid), _SCORES, replace=False):
                    observed = float(np.clip(curve.bare.mean[place] + chance.normal(1.0, 1.5), 0.0, 100.0))
                    began = time.perf_counter()
                    plugins.learn(curve, int(place), observed, 1e9)
                    updates.append(1e3 * (time.perf_counter() - began))

        def milliseconds(on: tuple[str, ...], features: Features) -> float:
            began = time.perf_counter()
            search(
                features=features,
                encoder=spec,
                preset="medium",
                grid=grid,
                goal=Goal(target=93.0, tolerance=0.25),
                max_encoded_percent=None,
                prober=CurveProber(grid, vmaf),
                plugins=run(on),
                observer=Observer(),
            )
            return 1e3 * (time.perf_counter() - began)

        teach(_SOURCES)
        whole = statistics.median(updates[-200:])
        written, atomic.write = atomic.write, lambda path, content: None  # not kept: what is left is not the disk's
        try:
            updates.clear()
            teach(20)
        finally:
            atomic.write = written
        print(f"an update: {whole:.2f} ms, {statistics.median(updates):.2f} ms of them not writing to the disk")
        pairs = []
        for _ in range(_SEARCHES):
            features = source()
            pairs.append((milliseconds((), features), milliseconds(("ridge-sidecar",), features)))
        without, more = statistics.median(p[0] for p in pairs), statistics.median(p[1] - p[0] for p in pairs)
        print(f"a search without it: {without:.1f} ms; with it {more:+.1f} ms (ratio {1 + more / without:.2f})")


if __name__ == "__main__":
    main()

"""Searches on real clips: ours, plain bisection and ab-av1's rule, all on the same probes, in one run.

Prints, for each encoder and target and in all: probes (mean, most), the wall time of the search as a ratio to ab-av1's rule and
to one probe, the distance of the result from the target, and failures. Probes are kept in a cache of the benchmark's own, so
an interrupted run goes on where it was; times are those measured when a probe was made.

Clips default to ten of ../shared/clips that the shipped population was not made from; name others as arguments.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rules import ab_av1, bisection

from vmaftune.encoders.spec import EncoderSpec, number
from vmaftune.ffmpeg.locate import locate
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.search.engine import Observer, search
from vmaftune.search.grid import crf_grid
from vmaftune.search.prober import Prober
from vmaftune.search.source import EncodeRequest, PreparedSource, prepare
from vmaftune.search.strategy import Goal
from vmaftune.state.store import Store
from vmaftune.state.workspace import workspace
from vmaftune.types import FloatArray, ProbeRecord

SHARED = Path(__file__).resolve().parents[2] / "shared" / "clips"
HELD_OUT = (
    *("nature__graxono__bird", "city__carnd-lanelines", "people__media__internal", "sport__libopenshot"),
    *("animation__jetplay", "game__tinyarena", "screen__slam", "talking-head__pypi", "low-light__media", "ugc__npm"),
)
TOLERANCE = 0.25


@dataclass
class Tally:
    """What one method needed for one search."""

    method: str
    encoder: str
    target: float
    clip: str
    probes: int = 0
    seconds: float = 0.0
    vmaf: float | None = None
    crf: float | None = None
    stop: str = ""


@dataclass
class SharedProbes:
    """Probes of one curve, made once whichever method asks first; each method is charged for what it asks."""

    prober: Prober
    grid: FloatArray
    tally: Tally
    known: dict[float, ProbeRecord] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return self.prober.frames

    @property
    def samples(self) -> int:
        return self.prober.samples

    def cached(self) -> dict[float, ProbeRecord]:
        """Each search begins with nothing."""
        return {}

    @property
    def exploring_share(self) -> float | None:
        """Nothing is explored here: all methods are compared by probes that score everything."""
        return None

    def explored(self) -> dict[float, ProbeRecord]:
        return {}

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        raise NotImplementedError

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        if crf not in self.known:
            self.known[crf] = self.prober.probe(crf, on_progress)
        record = self.known[crf]
        self.tally.probes += 1
        self.tally.seconds += record.encode_seconds + record.score_seconds
        return record

    def vmaf(self, place: int) -> float:
        return self.probe(float(self.grid[place]), lambda share: None).vmaf


def run_clip(
    path: Path, spec: EncoderSpec, preset: str | None, targets: list[float], store: Store, manager: PluginManager
) -> list[Tally]:
    """All methods and targets on one clip."""
    ffmpeg = locate(None, store)
    grid = crf_grid(spec, None, None, None)
    tallies = []
    with workspace() as folder:
        source = prepare(ffmpeg, path, EncodeRequest(encoder=spec, preset=preset), store, folder)
        prober = Prober(ffmpeg, source, pool="mean", threads=2, store=store, folder=folder)
        known = prober.cached()
        for target in targets:
            for method in ("vmaf-tune", "bisection", "ab-av1 rule"):
                tally = Tally(method, spec.name, target, path.stem)
                shared = SharedProbes(prober, grid, tally, known)
                _run(method, shared, source, spec, grid, target, manager, folder)
                tallies.append(tally)
                print(
                    f"{path.stem[:38]:38s} {spec.name:10s} {target:g} {method:12s} {tally.probes} probes, CRF "
                    f"{number(tally.crf) if tally.crf is not None else '-'}, VMAF {tally.vmaf or 0:.3f} {tally.stop}",
                    file=sys.stderr,
                    flush=True,
                )
    return tallies


def _run(
    method: str,
    shared: SharedProbes,
    source: PreparedSource,
    spec: EncoderSpec,
    grid: FloatArray,
    target: float,
    manager: PluginManager,
    folder: Path,
) -> None:
    tally = shared.tally
    if method == "vmaf-tune":
        outcome = search(
            features=source.measured.features,
            encoder=spec,
            preset=source.settings.preset,
            grid=grid,
            goal=Goal(target=target, tolerance=TOLERANCE),
            max_encoded_percent=None,
            prober=shared,
            plugins=PluginRun(manager, PluginChoice(), folder, print),
            observer=Observer(),
        )
        tally.stop = outcome.stop.reason
        tally.seconds += source.measured.feature_seconds
        if outcome.stop.met:
            tally.crf, tally.vmaf = outcome.best.crf, outcome.best.vmaf
        return
    if method == "bisection":
        place = bisection(grid, shared.vmaf, target, TOLERANCE)
    else:
        place = ab_av1(grid, shared.vmaf, target, spec.step)
    if place is not None:
        tally.crf = float(grid[place])
        tally.vmaf = shared.known[tally.crf].vmaf


def summary(tallies: list[Tally]) -> list[str]:
    """The table, a line for each method and group."""
    lines = [
        f"{'':28s} {'searches':>8s} {'probes':>7s} {'most':>5s} {'time/ab-av1':>12s} {'|VMAF-T|':>9s} {'failed':>6s}"
    ]
    groups = sorted({(t.encoder, t.target) for t in tallies})
    for group in [*groups, None]:
        chosen = [t for t in tallies if group in (None, (t.encoder, t.target))]
        rule = sum(t.seconds for t in chosen if t.method == "ab-av1 rule")
        for method in ("vmaf-tune", "ab-av1 rule", "bisection"):
            mine = [t for t in chosen if t.method == method]
            met = [abs(t.vmaf - t.target) for t in mine if t.vmaf is not None]
            name = "all" if group is None else f"{group[0]} {group[1]:g}"
            ratio = sum(t.seconds for t in mine) / rule
            lines.append(
                f"{name:15s} {method:12s} {len(mine):8d} {statistics.mean(t.probes for t in mine):7.2f} "
                f"{max(t.probes for t in mine):5d} {ratio:12.2f} {statistics.mean(met or [0]):9.3f} {len(mine) - len(met):6d}"
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--encoders", default="libx264:medium,libsvtav1:8", help="NAME:PRESET, separated by commas")
    parser.add_argument("--targets", default="93", help="separated by commas")
    parser.add_argument("--output", type=Path, default=Path("out/bench"), help="folder of cache and CSV")
    arguments = parser.parse_args()
    clips = arguments.clips or [p for prefix in HELD_OUT for p in sorted(SHARED.glob(f"{prefix}*"))]
    if not clips:
        parser.error("no clips: name some (../shared/clips is not there)")
    store = Store(arguments.output / "cache.sqlite")
    manager = PluginManager()
    tallies: list[Tally] = []
    for text in arguments.encoders.split(","):
        name, _, preset = text.partition(":")
        for path in clips:
            targets = [float(t) for t in arguments.targets.split(",")]
            tallies += run_clip(path, manager.encoders[name], preset or None, targets, store, manager)
    file = arguments.output / "search.csv"
    with file.open("w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(vars(tallies[0]))
        writer.writerows(vars(t).values() for t in tallies)
    print("\n".join(summary(tallies)))
    print(f"each search is in {file}")


if __name__ == "__main__":
    main()

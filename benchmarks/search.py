"""Searches on real clips, by several methods on the same probes, in one run.

    cold         our search: the default predictor, nothing learned
    warm         the same with ridge-sidecar, which has learned from the cold searches of all OTHER clips, all targets
    population   cold, with --predictor population
    no-explore   cold, without exploring probes
    bisection    plain bisection
    ab-av1-rule  the rule of ab-av1 0.11 on the same grid; not the program itself

Prints for each encoder and target, for each encoder, and in all: verifying probes of a search (mean, most, share of searches
with at most three), exploring probes, wall time of the whole search as a ratio to that of ab-av1's rule and to one verifying
probe (the mean of the last ones of all searches), distance of the result from the target, failures (a result below the
target, or none where another method found one), and how often the first guess lay within 1.5 CRF of the result (SVT-AV1:
2.5). Each search is a line of search.csv, and search.png and search.svg show each encoder.

Each probe and each pass for features is made once, when the first method asks for it, and its wall time is recorded with it.
A method is charged with the recorded time of all it asks for, so that a ratio of two methods does not depend on what else the
machine did while one of them ran; ratios are of sums over the searches. Every search begins with no probe known. Rules are
charged no features and no exploring probes. Nobody is charged for reading and cutting the source or for deciding.
Probes are kept in the output folder, so an interrupted run goes on where it was.

Clips default to ten of ../shared/clips that the shipped models were not made from; name others as arguments. When a search of
ours failed, the exit code is 1.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from figure import draw
from methods import METHODS, OURS, run, teach, warn
from probes import BenchStore, opened
from summary import Tally, failures, groups, rows, table

from vmaftune.contract import Capture
from vmaftune.encoders.spec import number
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg.locate import locate
from vmaftune.host.manager import PluginManager

SHARED = Path(__file__).resolve().parents[2] / "shared" / "clips"
HELD_OUT = (
    *("nature__graxono__bird", "city__carnd-lanelines", "people__media__internal", "sport__libopenshot"),
    *("animation__jetplay", "game__tinyarena", "screen__slam", "talking-head__pypi", "low-light__media", "ugc__npm"),
)


@dataclass
class Progress:
    """A line for each search, with what is left at the pace so far."""

    total: int
    began: float = field(default_factory=time.monotonic)
    done: int = 0

    def tell(self, tally: Tally) -> None:
        self.done += 1
        left = (time.monotonic() - self.began) / self.done * (self.total - self.done) / 60
        result = "no result" if tally.crf is None else f"CRF {number(tally.crf)} VMAF {tally.vmaf:.2f}"
        warn(
            f"{self.done}/{self.total}, {left:.0f} min left  {tally.clip[:32]:32s} {tally.encoder} {tally.target:g} "
            f"{tally.method:11s} {tally.verified}+{tally.explored} probes {tally.seconds:.1f} s, {result} {tally.stop}"
        )


def run_encoder(
    encoder: str,
    clips: Sequence[Path],
    targets: Sequence[float],
    methods: Sequence[str],
    store: BenchStore,
    manager: PluginManager,
    progress: Progress,
) -> list[Tally]:
    """All searches with one encoder: those of ``warm`` last, since they rest on the cold ones of the other clips."""
    ffmpeg, spec = locate(None, store), manager.encoders[encoder.partition(":")[0]]
    lessons: dict[Path, list[Capture]] = {path: [] for path in clips}
    tallies = []
    for chosen in ([m for m in methods if m != "warm"], [m for m in methods if m == "warm"]):
        for path in clips if chosen else ():
            with opened(path, encoder, spec, ffmpeg, store) as curve:
                state = curve.folder / "learned"
                if "warm" in chosen:
                    teach(manager, state, [lessons[other] for other in clips if other != path], spec, curve.grid)
                for target in targets:
                    for method in chosen:
                        tally, captures = run(method, curve, target, manager, state)
                        if method == "cold":
                            lessons[path] += captures
                        tallies.append(tally)
                        progress.tell(tally)
    return sorted(tallies, key=lambda tally: METHODS.index(tally.method))


def report(tallies: Sequence[Tally], folder: Path) -> bool:
    """Print the summary and write the files; whether no search of ours failed."""
    file = folder / "search.csv"
    with file.open("w", newline="") as output:
        writer = csv.DictWriter(output, list(tallies[0].fields))
        writer.writeheader()
        writer.writerows(tally.fields for tally in tallies)
    print("\n".join(table([row for name, members in groups(tallies).items() for row in rows(name, members)])))
    for method in OURS:
        used = Counter(tally.predictor for tally in tallies if tally.method == method)
        if used:
            print(f"{method} predicted with", ", ".join(f"{name} ({count})" for name, count in used.items()))
    failed = [tally for tally in failures(tallies) if tally.method in OURS]
    for tally in failed:
        print(f"FAILED: {tally.method} {tally.encoder} {tally.target:g} {tally.clip}: {tally.stop};{tally.steps}")
    pictures = [folder / f"search.{ending}" for ending in ("png", "svg")]
    encoders = dict.fromkeys(tally.encoder for tally in tallies)
    draw([row for name in encoders for row in rows(name, [t for t in tallies if t.encoder == name])], pictures)
    print(f"each search is in {file}, the figure in {' and '.join(map(str, pictures))}")
    return not failed


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("files", nargs="*", type=Path, help="clips")
    parser.add_argument("--clips", type=int, metavar="N", help="the first N clips only")
    parser.add_argument("--encoders", default="libx264:medium,libx265:medium,libsvtav1:8", help="NAME:PRESET, ...")
    parser.add_argument("--targets", default="90,93,96", help="VMAF, ...")
    parser.add_argument("--methods", default=",".join(METHODS), help="of those above")
    parser.add_argument("--output", type=Path, default=Path("out/bench"), help="folder of cache, CSV and figure")
    arguments = parser.parse_args()
    clips = arguments.files or [p for prefix in HELD_OUT for p in sorted(SHARED.glob(f"{prefix}*"))]
    clips = clips[: arguments.clips]
    if not clips:
        parser.error("no clips: name some (../shared/clips is not there)")
    encoders, methods = arguments.encoders.split(","), arguments.methods.split(",")
    manager = PluginManager()
    if unknown := [e for e in encoders if e.partition(":")[0] not in manager.encoders]:
        parser.error(f"no encoder {', '.join(unknown)}")
    if unknown := [m for m in methods if m not in METHODS]:
        parser.error(f"no method {', '.join(unknown)}; there are: {', '.join(METHODS)}")
    if "warm" in methods and "cold" not in methods:
        parser.error("warm learns from the searches of cold: name that too")
    targets = [float(target) for target in arguments.targets.split(",")]
    store = BenchStore(arguments.output / "cache.sqlite", warn)
    progress = Progress(len(encoders) * len(clips) * len(targets) * len(methods))
    tallies: list[Tally] = []
    try:
        for encoder in encoders:
            tallies += run_encoder(encoder, clips, targets, methods, store, manager, progress)
    except VmafTuneError as error:
        sys.exit(str(error))
    sys.exit(0 if report(tallies, arguments.output) else 1)


if __name__ == "__main__":
    main()

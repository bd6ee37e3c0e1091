"""What a model of one's own brings each tenant of one trainer: adapters against whole weights, one for all, and ridge.

Tenants are hosts that encode otherwise than the corpus says. All begin with one base model that saw none of their sources:

    superfast, ultrafast   x264 at that preset, taken for medium         (measured, 21 sources)
    grain                  x264 medium of clips with film grain           (measured, 21 sources)
    SVT-AV1 10             preset 10, taken for 8                         (measured, 18 sources)
    step                   x264 medium, 5 VMAF worse where much moves     (made of measured curves, 27 sources)

The sources are split once for all tenants; a tenant's captures are scores of its training sources, source after source, three
CRFs a visit, with the encoder's own scatter. Reported is the mean absolute error of whole curves of held-out sources where
true VMAF is 80 to 98, mean over sources, tenants and splits, and what each tenant's model does to held-out sources that are not
its own: those of the other tenants, and encodes as the base was trained on.

    python benchmarks/tenants.py              # minutes; the base is trained once and kept in the output folder
    python benchmarks/tenants.py --tune       # the rates and steps that were tried, on splits of their own
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from adapter import Adapter
from domains import MUCH_MOVES, SHIFTED, Curve, below_ceiling, curves_of, ensure
from held_out import entry_points
from learning import REGION, Host
from vmaftune_plugins.trainers.corpus import own_corpus
from vmaftune_plugins.trainers.descent import Descent
from vmaftune_plugins.trainers.encoded import Encoding, Rows
from vmaftune_plugins.trainers.sgd_ema_settings import Settings
from vmaftune_plugins.trainers.weights import Network

from vmaftune import models
from vmaftune.contract import CurveContext, FloatArray
from vmaftune.corpus.rows import CorpusRow, model_rows, read_rows
from vmaftune.crf_search.posterior import SCORE_NOISE_VMAF
from vmaftune.host.manager import PluginManager
from vmaftune.models.choice import curve_weights, interpolation, knot_range
from vmaftune.models.predictor import open_model

BASE = "tenants-base"
HELD_OUT_SHARE = 1 / 3
VISIT_CAPTURES = 3
TUNE_SPLITS = (100, 101)
BATCH = 32
STEPS = 300
_STEP_VMAF = 5.0

Capture = tuple[Curve, int, float]
"""A curve, a place on its grid, and the score there."""

Says = Callable[[Curve], FloatArray]
"""A model: what it says of a curve, over its grid."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a tenant's model is trained.

    Attributes:
        rank: of the adapter; 0 trains the biases only, None all weights.
        principal: whether the adapter begins with singular vectors.
        rehearsal: rows of the corpus for each sample.
        steps: None is one for each capture.
        shared: one model for all tenants, of the captures and the steps of all.
        settings: of the descent.
    """

    rank: int | None = None
    principal: bool = False
    rehearsal: float = 0.0
    steps: int | None = STEPS
    shared: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


ADAM = {"optimiser": "adam"}
WAYS = {
    "whole, as the trainer trains": Way(rehearsal=4.0, steps=None),
    "whole, 300 steps": Way(rehearsal=4.0),
    "whole, 300 steps, no rehearsal": Way(),
    "one for all tenants": Way(rehearsal=4.0, shared=True),
    "biases only": Way(rank=0, settings={**ADAM, "learning_rate": 0.03}),
    "adapter, rank 1": Way(rank=1, principal=True),
    "adapter, rank 2": Way(rank=2, principal=True),
    "adapter, rank 4": Way(rank=4, principal=True),
    "adapter, rank 2, drawn": Way(rank=2, settings={**ADAM, "learning_rate": 0.001}),
}
"""Rates and optimisers are the best of ``--tune`` at these steps; where none is named, they are the trainer's own."""

TUNED = {
    "whole, SGD": (Way(), (0.0005, 0.002, 0.008)),
    "whole, Adam": (Way(settings=ADAM), (0.0001, 0.0003, 0.001)),
    "biases only, Adam": (Way(rank=0, settings=ADAM), (0.01, 0.03, 0.1)),
    "adapter rank 2, SGD": (Way(rank=2), (0.0005, 0.002, 0.008)),
    "adapter rank 2, Adam": (Way(rank=2, settings=ADAM), (0.001, 0.003, 0.01)),
    "principal adapter rank 2, SGD": (Way(rank=2, principal=True), (0.0005, 0.002, 0.008)),
    "principal adapter rank 2, Adam": (Way(rank=2, principal=True, settings=ADAM), (0.001, 0.003, 0.01)),
}


class Bench:
    """The base, the tenants' curves and the curves as the base was trained on."""

    def __init__(self, manager: PluginManager) -> None:
        self.manager, self.encoders = manager, manager.encoders
        corpus = model_rows(models.find("mlp_v1"))
        shifted = {name: read_rows(SHIFTED / f"{name}.rows.jsonl.gz") for name in ("superfast", "ultrafast", "grain")}
        fast = [row for row in corpus if (row.encoder, row.preset) == ("libsvtav1", "10")]
        self.sources = sorted({row.source for rows in (*shifted.values(), fast) for row in rows})
        known = [row for row in corpus if row.source not in self.sources]
        ensure(BASE, known, {name: spec.search_range for name, spec in self.encoders.items()}, _tell)
        own = [row for row in corpus if row.source in self.sources]
        self.tenants = {
            "superfast": self._curves(shifted["superfast"], "libx264", "medium", "superfast"),
            "ultrafast": self._curves(shifted["ultrafast"], "libx264", "medium", "ultrafast"),
            "grain": self._curves(shifted["grain"], "libx264", "medium"),
            "SVT-AV1 10": self._curves(fast, "libsvtav1", "8", "10"),
            "step": self._curves(own, "libx264", "medium", change=_step),
        }
        asked = (("libx264", "medium"), ("libx265", "medium"), ("libsvtav1", "8"))
        self.as_trained = [curve for encoder, preset in asked for curve in self._curves(own, encoder, preset)]
        entry, content = models.load(BASE)
        self.network = Network(content, BASE)
        self.encoding = Encoding(self.network.contract, self.encoders)
        self.corpus = own_corpus(entry, self.encoding).rehearsal

    def _curves(
        self, rows: Sequence[CorpusRow], encoder: str, preset: str, true: str | None = None, **change: Any
    ) -> list[Curve]:
        found = curves_of(rows, self.encoders[encoder], preset, true or preset, lambda source: BASE, **change)
        return [curve for curve in found if _judged(curve).any()]

    def rows(self, captures: Sequence[Capture]) -> Rows:
        """As the trainer holds them."""
        return np.array(
            [
                self.encoding.row(c.encoder.name, c.preset, float(c.grid[at]), c.features.values, score)
                for c, at, score in captures
            ]
        )

    def adapter(self, way: Way, seed: int) -> Adapter:
        """Untrained. Its rank must not be None."""
        assert way.rank is not None
        return Adapter(self.network, way.rank, seed, principal=way.principal)

    def trained(
        self, way: Way, captures: Sequence[Capture], tenants: int, seed: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Steps made and averaged weights, after a tenth, three tenths and all of the steps."""
        settings = Settings(**way.settings)
        network = self.network if way.rank is None else self.adapter(way, seed)
        descent = Descent(network, settings, self.corpus)  # type: ignore[arg-type]
        rows, random = self.rows(captures), np.random.default_rng([seed, len(captures)])
        steps = len(captures) if way.steps is None else way.steps * tenants
        for step in range(1, steps + 1):
            # One step a capture is a stream: what has not come in yet cannot be drawn.
            there = step if way.steps is None else len(rows)
            batch = rows[random.integers(0, there, BATCH)]
            rehearsed = self.corpus[random.integers(0, len(self.corpus), round(BATCH * way.rehearsal))]
            descent.train(np.concatenate([batch, rehearsed]))
            if step in (steps // 10, steps * 3 // 10, steps):
                weights = descent.average
                yield step, network.weights(weights) if isinstance(network, Adapter) else weights

    def says(self, theta: np.ndarray) -> Says:
        """A model with these weights, by onnxruntime, from the file that would be published."""
        model = open_model(self.network.file(theta), "a tenant's model")

        def mean(curve: Curve) -> FloatArray:
            weights, _ = curve_weights(model.contract, curve.encoder, curve.preset)
            knots, _ = model.run(np.array(curve.features.values), weights)
            low, high = knot_range(model.contract, weights)
            return np.clip(interpolation(curve.grid, low, high, model.contract.knots) @ knots, 0.0, 100.0)

        return mean

    def ridge(self, captures: Sequence[Capture], folder: Path) -> tuple[Says, int, float]:
        """The base with ridge-sidecar after these captures, bytes of its state, milliseconds a capture."""
        run = Host(self.manager, "ridge-sidecar", folder).run(captures[0][0])
        began = time.perf_counter()
        for curve, at, score in captures:
            run.learn(run.predict(_asked(curve)), at, score, 0.0)
        each = 1e3 * (time.perf_counter() - began) / len(captures)
        size = sum(path.stat().st_size for path in folder.rglob("state.json"))
        return (lambda curve: np.clip(run.predict(_asked(curve)).corrected.mean, 0.0, 100.0)), size, each


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Mean absolute errors in VMAF on held-out sources: of each tenant by its own model; elsewhere by all tenants' models.

    Attributes:
        others: on the other tenants' sources, and ``as_trained`` on encodes as the base was trained on.
    """

    own: dict[str, float]
    others: float
    as_trained: float


class Split:
    """One division of the sources.

    Args:
        seed: of it, and of the captures.
    """

    def __init__(self, bench: Bench, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(bench.sources))
        out = {bench.sources[place] for place in order[: round(HELD_OUT_SHARE * len(order))]}
        self._bench, self.seed = bench, seed
        self._train = {name: [c for c in curves if c.source not in out] for name, curves in bench.tenants.items()}
        self._test = {name: [c for c in curves if c.source in out] for name, curves in bench.tenants.items()}
        self._as_trained = [curve for curve in bench.as_trained if curve.source in out]

    def captures(self, tenant: str, count: int) -> list[Capture]:
        """The first ``count`` of a tenant's stream."""
        chance = np.random.default_rng([self.seed, list(self._train).index(tenant)])
        by_source = defaultdict(list)
        for curve in self._train[tenant]:
            by_source[curve.source].append(curve)
        found: list[Capture] = []
        while len(found) < count:
            for name in chance.permutation(sorted(by_source)):
                curve = by_source[name][chance.integers(len(by_source[name]))]
                places = np.flatnonzero(_judged(curve))
                for at in chance.choice(places, min(VISIT_CAPTURES, len(places)), replace=False):
                    score = curve.truth[at] + chance.normal(0.0, SCORE_NOISE_VMAF)
                    found.append((curve, int(at), float(np.clip(score, 0.0, 100.0))))
        return found[:count]

    def all_captures(self, count: int) -> dict[str, list[Capture]]:
        return {tenant: self.captures(tenant, count) for tenant in self._train}

    def figures(self, models_of: Mapping[str, Says]) -> Figures:
        own, others, as_trained = {}, [], []
        for tenant, says in models_of.items():
            own[tenant] = _error(says, self._test[tenant])
            others += [_error(says, curves) for name, curves in self._test.items() if name != tenant]
            as_trained.append(_error(says, self._as_trained))
        return Figures(own=own, others=float(np.mean(others)), as_trained=float(np.mean(as_trained)))


def measure(bench: Bench, splits: Sequence[Split], counts: Sequence[int]) -> None:
    """Print the tables."""
    base = bench.says(bench.network.theta)
    bare = [split.figures(dict.fromkeys(bench.tenants, base)) for split in splits]
    names = list(bench.tenants)
    print(f"{len(splits)} splits; error of held-out sources in VMAF, by each tenant's own model\n")
    print("| model | captures | " + " | ".join(names) + " | mean | splits better than ridge | others | as trained |")
    print("|---|---|" + "---|" * (len(names) + 4))
    _print("the base", "", names, bare, bare, None)
    for count in counts:
        ridge, sizes, each = _ridges(bench, splits, count)
        _print("the base with ridge-sidecar", str(count), names, ridge, bare, None)
        print(f"ridge-sidecar, {count}: {np.mean(sizes):,.0f} bytes, {np.mean(each):.1f} ms a capture", file=sys.stderr)
        for name, way in WAYS.items():
            _print(name, str(count), names, [_trained(bench, split, way, count) for split in splits], bare, ridge)
    _print_cost(bench, splits[0])


def tune(bench: Bench, counts: Sequence[int], only: str) -> None:
    """Print what rates and steps lead to, on splits that the other table does not have."""
    splits = [Split(bench, seed) for seed in TUNE_SPLITS]
    heads = [f"{n} captures, {s} steps" for n in counts for s in (STEPS // 10, STEPS * 3 // 10, STEPS)]
    print("| model | rate | " + " | ".join(heads) + " |\n|---|---|" + "---|" * len(heads))
    for name, (way, rates) in ((name, tried) for name, tried in TUNED.items() if only in name):
        for rate in rates:
            tried = replace(way, settings={**way.settings, "learning_rate": rate})
            cells = []
            for count in counts:
                at = defaultdict(list)
                for split in splits:
                    for tenant in bench.tenants:
                        own = split.captures(tenant, count)
                        for step, theta in bench.trained(tried, own, 1, split.seed):
                            at[step].append(split.figures({tenant: bench.says(theta)}).own[tenant])
                cells += [f"{np.mean(errors):.2f}" for errors in at.values()]
            print(f"| {name} | {rate:g} | " + " | ".join(cells) + " |", flush=True)


def _trained(bench: Bench, split: Split, way: Way, count: int) -> Figures:
    captures = split.all_captures(count)

    def model(of: list[Capture], tenants: int) -> Says:
        *_, (_, theta) = bench.trained(way, of, tenants, split.seed)
        return bench.says(theta)

    if way.shared:
        mixed = [capture for at_once in zip(*captures.values(), strict=True) for capture in at_once]
        return split.figures(dict.fromkeys(captures, model(mixed, len(captures))))
    return split.figures({tenant: model(own, 1) for tenant, own in captures.items()})


def _ridges(bench: Bench, splits: Sequence[Split], count: int) -> tuple[list[Figures], list[int], list[float]]:
    found, sizes, times = [], [], []
    for split in splits:
        with tempfile.TemporaryDirectory() as scratch:
            made = {
                tenant: bench.ridge(captures, Path(scratch) / tenant)
                for tenant, captures in split.all_captures(count).items()
            }
            found.append(split.figures({tenant: says for tenant, (says, _, _) in made.items()}))
        sizes += [size for _, size, _ in made.values()]
        times += [each for _, _, each in made.values()]
    return found, sizes, times


def _print(
    name: str, count: str, tenants: list[str], own: list[Figures], bare: list[Figures], ridge: list[Figures] | None
) -> None:
    def mean(of: Figures) -> float:
        return float(np.mean(list(of.own.values())))

    def change(what: str) -> str:
        after, before = (np.mean([getattr(f, what) for f in figures]) for figures in (own, bare))
        return f"{100 * (after / before - 1):+.0f} %"

    better = "" if ridge is None else f"{sum(mean(a) < mean(b) for a, b in zip(own, ridge, strict=True))} of {len(own)}"
    each = [f"{np.mean([figures.own[tenant] for figures in own]):.2f}" for tenant in tenants]
    cells = [
        name,
        count,
        *each,
        f"{np.mean([mean(f) for f in own]):.2f}",
        better,
        change("others"),
        change("as_trained"),
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


def _print_cost(bench: Bench, split: Split) -> None:
    """Parameters and bytes a tenant, and time of a step as a ratio to one of all weights with rehearsal; medians of turns."""
    captures, turns = split.captures("superfast", 100), 5
    kinds = {name: way for name, way in WAYS.items() if way.steps is not None and not way.shared}
    seconds = defaultdict(list)
    for _ in range(turns):
        for name, way in kinds.items():
            began = time.perf_counter()
            for _ in bench.trained(replace(way, steps=200), captures, 1, 0):
                pass
            seconds[name].append(time.perf_counter() - began)
    unit = float(np.median(seconds["whole, 300 steps"]))
    print("\n| model | parameters a tenant | bytes a tenant | time of a step |\n|---|---|---|---|")
    for name, way in kinds.items():
        whole = way.rank is None
        count = len(bench.network.theta if way.rank is None else bench.adapter(way, 0).theta)
        size = len(bench.network.file(bench.network.theta)) if whole else 4 * count
        print(f"| {name} | {count:,} | {size:,} | {np.median(seconds[name]) / unit:.2f} |")


def _error(says: Says, curves: Sequence[Curve]) -> float:
    """Mean over sources of the mean absolute error of their curves, in VMAF."""
    by_source = defaultdict(list)
    for curve in curves:
        judged = _judged(curve)
        by_source[curve.source].append(float(np.abs(says(curve) - curve.truth)[judged].mean()))
    return float(np.mean([np.mean(errors) for errors in by_source.values()]))


def _asked(curve: Curve) -> CurveContext:
    return CurveContext(features=curve.features, encoder=curve.encoder, preset=curve.preset, crfs=curve.grid)


def _judged(curve: Curve) -> np.ndarray:
    """Where on the grid errors count, shape (n,)."""
    judged: np.ndarray = (curve.truth >= REGION[0]) & (curve.truth <= REGION[1]) & curve.measured
    return judged


def _step(vmaf: FloatArray, at: FloatArray, features: Any) -> FloatArray:
    worse: FloatArray = vmaf - _STEP_VMAF * below_ceiling(vmaf) * (features["ti_mean"] > MUCH_MOVES)
    return worse


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", default="20,100,500", help="lengths of streams, separated by commas")
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--output", type=Path, default=Path("out/bench-tenants"), help="folder of the base model")
    arguments = parser.parse_args()
    os.environ["VMAFTUNE_MODELS"] = str((arguments.output / "models").absolute())
    torch.set_num_threads(1)
    bench, counts = Bench(PluginManager(entry_points())), [int(n) for n in arguments.captures.split(",")]
    if arguments.tune:
        tune(bench, counts, arguments.only)
    else:
        measure(bench, [Split(bench, seed) for seed in range(arguments.splits)], counts)


if __name__ == "__main__":
    main()

"""Tiny models compared, in the manner of ADR-0203's sweep: held-out error, correlation, parameters, latency and size.

Every architecture is judged by networks that never saw the source they are judged by: one for each source, or, for the large
ones, one for each group of sources (``--groups``), which is as honest and harder, for they learn from fewer. What was done is
kept in the output folder, and a training that was stopped goes on. The latency of all is then measured in one run, v2
(mlp_small) beside mlp_medium.

    python benchmarks/tiny.py                      # on the table that ships with the models
    python benchmarks/tiny.py --only linear,mlp_small
    python benchmarks/tiny.py --distances          # where mlp_small errs: by how far other sources' frames are
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
from scipy.spatial import cKDTree

from vmaftune import models
from vmaftune.models.full_reference import TinyModel
from vmaftune.state import atomic
from vmaftune.tiny.architectures import ARCHITECTURES, Architecture
from vmaftune.tiny.evaluate import EvalReport, measured_latency
from vmaftune.tiny.figures import Latency
from vmaftune.tiny.fit import Plan, fit
from vmaftune.tiny.recipes import RECIPES
from vmaftune.tiny.table import FrameTable
from vmaftune.tiny.tablefile import read_table

_LARGE = 10_000
_ROUNDS = 5
_HEADING = (
    "| recipe | architecture | parameters | networks | RMSE, mean ± sd | worst source | PLCC, mean | worst | SROCC | KROCC "
    "| p50, bound | p95 | p50, run | p95 | file, bytes |\n|" + "---|" * 15
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--table", type=Path, help="Table of vmaf-tune tiny features.  [default: the shipped models']")
    parser.add_argument("--output", type=Path, default=Path("out/bench-tiny"))
    parser.add_argument("--only", default=",".join(ARCHITECTURES), help="Architectures, by name.")
    parser.add_argument("--recipes", default="v2,v1")
    parser.add_argument("--groups", type=int, default=8, help="Groups of sources for the large architectures.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--distances", action="store_true", help="RMSE by distance from the frames of other sources.")
    options = parser.parse_args()
    table = read_table(options.table or _shipped_table())
    print(f"{len(table.source_names)} sources, {len(table.clip_names)} clips, {len(table)} frames", flush=True)
    if options.distances:
        _print_distances(table, options)
        return
    done = []
    for recipe in options.recipes.split(","):
        for architecture in (ARCHITECTURES[name] for name in options.only.split(",")):
            if recipe == "v2" or architecture.name in ("linear", "mlp_small", "mlp_medium"):
                done.append((recipe, *_judged(table, architecture, recipe, options)))
    latencies = _latencies([content for _, _, content in done], table)
    print(_HEADING)
    for (recipe, report, _), latency in zip(done, latencies, strict=True):
        print(_row(recipe, report, latency))


def _shipped_table() -> Path:
    import vmaftune_models

    return Path(str(vmaftune_models.__file__)).parent / models.find("vmaf_tiny_v2").data


def _judged(
    table: FrameTable, architecture: Architecture, recipe: str, options: argparse.Namespace
) -> tuple[EvalReport, bytes]:
    """The report and the model of an architecture, from the output folder where they are there."""
    folder = options.output / f"{recipe}-{architecture.name}"
    report, model = folder / "eval_report.json", folder / "model.onnx"
    if not report.exists():
        groups = options.groups if architecture.parameters > _LARGE else None
        plan = Plan(name=architecture.name, architecture=architecture, recipe=RECIPES[recipe], loso=True, groups=groups)
        folder.mkdir(parents=True, exist_ok=True)
        began, cpu = time.monotonic(), time.process_time()
        made = fit(table, plan, threads=options.threads, checkpoint=folder / ".training.npz", timed=False)
        spent = time.monotonic() - began, time.process_time() - cpu
        print(
            f"{recipe} {architecture.name}: {spent[0]:.0f} s, {spent[1]:.0f} s of processors",
            file=sys.stderr,
            flush=True,
        )
        atomic.write(model, made.content)
        atomic.write(report, msgspec.json.encode(made.report))
        (folder / ".training.npz").unlink(missing_ok=True)
    return msgspec.json.decode(report.read_bytes(), type=EvalReport), model.read_bytes()


def _print_distances(table: FrameTable, options: argparse.Namespace) -> None:
    """RMSE of mlp_small over frames by how far the nearest frame of another source is, features in standard deviations."""
    plan = Plan(
        name="mlp_small",
        architecture=ARCHITECTURES["mlp_small"],
        recipe=RECIPES["v2"],
        loso=True,
        groups=options.groups,
    )
    made = fit(table, plan, threads=options.threads, timed=False)
    scaled = (table.features - table.features.mean(axis=0)) / table.features.std(axis=0)
    distance = np.empty(len(table))
    for source in range(len(table.source_names)):
        own = table.sources == source
        distance[own] = cKDTree(scaled[~own]).query(scaled[own])[0]
    error = made.said - table.scores
    for low, high in itertools.pairwise((0.0, 0.1, 0.2, 0.4, 0.8, np.inf)):
        chosen = (distance >= low) & (distance < high)
        print(
            f"{low:4.1f} to {high:4.1f}: {chosen.sum():6d} frames, RMSE {np.sqrt(np.mean(error[chosen] ** 2)):.3f} VMAF"
        )


def _latencies(contents: list[bytes], table: FrameTable) -> list[Latency]:
    """Of each the quietest of some rounds, taken in turn, so that what else the host does falls on all alike."""
    opened = [TinyModel(content, "model") for content in contents]
    rounds = [[measured_latency(model, table) for model in opened] for _ in range(_ROUNDS)]
    return [min(each, key=lambda found: found.bound_p50_us) for each in zip(*rounds, strict=True)]


def _row(recipe: str, report: EvalReport, latency: Latency) -> str:
    rmse, plcc, srocc, krocc = (report.over_sources[name] for name in ("rmse", "plcc", "srocc", "krocc"))
    cells = [
        recipe,
        str(report.architecture),
        f"{report.parameters:,}",
        str(report.folds),
        f"{rmse.mean:.3f} ± {rmse.sd:.3f}",
        f"{rmse.worst:.3f}",
        f"{plcc.mean:.6f}",
        f"{plcc.worst:.5f}",
        f"{srocc.mean:.5f}",
        f"{krocc.mean:.4f}",
        f"{latency.bound_p50_us:.2f} µs",
        f"{latency.bound_p95_us:.2f} µs",
        f"{latency.run_p50_us:.2f} µs",
        f"{latency.run_p95_us:.2f} µs",
        f"{report.file_bytes:,}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

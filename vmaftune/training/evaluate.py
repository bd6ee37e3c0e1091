"""How good predictions of held-out sources are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.training.design import Design
from vmaftune.training.network import falling, train
from vmaftune.training.table import Table
from vmaftune.training.uncertainty import fit_uncertainty

REGION = (80.0, 98.0)
"""True VMAF at which errors count."""
TARGETS = (90.0, 93.0, 96.0)
GUESS_CRF = {"libsvtav1": 2.5}
_GUESS_CRF = 1.5
_Z90 = 1.6448536


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Held-out figures of one group of curves.

    Attributes:
        group: encoder and preset, or the kind of content.
        curves, sources: how many.
        mae_vmaf: mean absolute error where true VMAF is 80 to 98, mean over curves; ``median_vmaf`` their median.
        worst_decile_vmaf: nine curves in ten are better than this.
        coverage_90: share of true values in their 90 % interval.
        first_guess: share of first CRF guesses for VMAF 90, 93 and 96 within 1.5 CRF (2.5 for SVT-AV1) of the truth.
        score_error_vmaf: mean absolute distance of the score at the first guess from the target.
    """

    group: str
    curves: int
    sources: int
    mae_vmaf: float
    median_vmaf: float
    worst_decile_vmaf: float
    coverage_90: float
    first_guess: float
    score_error_vmaf: float


def leave_one_source_out(
    table: Table, design: Design, *, seed: int, on_progress: Callable[[float], None] = lambda share: None
) -> FloatArray:
    """Train a network for each source, blind to it, and let it predict that source's curves.

    Returns:
        The curve of each line of the table, as said by the network that never saw its source; shape (n, KNOTS), falling.
    """
    sources = sorted(set(table.sources))
    trained = train(table, design, sources, seed=seed, on_progress=on_progress)
    mean = np.zeros_like(table.vmaf)
    for fold, source in enumerate(sources):
        own = np.array([s == source for s in table.sources])
        mean[own] = trained.curves[fold][:, own].mean(axis=0)
    return falling(mean)


def held_out_deviation(table: Table, mean: FloatArray) -> FloatArray:
    """Standard deviation at the knots of each curve, by an uncertainty that was fitted without its source.

    Args:
        mean: held-out curves, shape (n, KNOTS).
    """
    deviation = np.zeros_like(mean)
    for source in set(table.sources):
        own = np.array([s == source for s in table.sources])
        deviation[own] = fit_uncertainty(table.without(source), mean[~own]).deviation(mean[own], table.which[own])
    return deviation


def errors(table: Table, mean: FloatArray) -> FloatArray:
    """Mean absolute error of each curve in REGION, NaN where it has no knot there; shape (n,)."""
    low, high = REGION
    inside = (table.vmaf >= low) & (table.vmaf <= high) & table.measured
    total = np.where(inside, np.abs(mean - table.vmaf), 0.0).sum(axis=1)
    count = inside.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def figures(
    table: Table, mean: FloatArray, deviation: FloatArray, groups: Mapping[str, Sequence[int]]
) -> list[Figures]:
    """Figures of groups of curves, each given by its places in the table."""
    each = errors(table, mean)
    low, high = REGION
    inside = (table.vmaf >= low) & (table.vmaf <= high) & table.measured
    covered = np.abs(mean - table.vmaf) <= _Z90 * deviation
    result = []
    for group, members in groups.items():
        places = [place for place in members if not np.isnan(each[place])]
        if not places:
            continue
        own = each[places]
        guesses = [guess for place in places for guess in _first_guesses(table, mean, place)]
        result.append(
            Figures(
                group=group,
                curves=len(places),
                sources=len({table.sources[place] for place in places}),
                mae_vmaf=_rounded(own.mean()),
                median_vmaf=_rounded(np.median(own)),
                worst_decile_vmaf=_rounded(np.quantile(own, 0.9)),
                coverage_90=_rounded(covered[places][inside[places]].mean()),
                first_guess=_rounded(np.mean([near for near, _ in guesses]) if guesses else np.nan),
                score_error_vmaf=_rounded(np.mean([miss for _, miss in guesses]) if guesses else np.nan),
            )
        )
    return result


def by_curve(table: Table) -> dict[str, list[int]]:
    """Places in the table by encoder and preset."""
    return {
        curve.name: [n for n, which in enumerate(table.which) if which == place]
        for place, curve in enumerate(table.curves)
    }


def by_kind(table: Table) -> dict[str, list[int]]:
    """Places in the table by kind of content."""
    return {kind: [n for n, k in enumerate(table.kinds) if k == kind] for kind in sorted(set(table.kinds))}


def _first_guesses(table: Table, mean: FloatArray, place: int) -> list[tuple[bool, float]]:
    """For each target that the true curve crosses: whether the guessed CRF is near the true one, and the score's miss."""
    curve = table.curves[table.which[place]]
    crfs, truth, guess = curve.crfs, falling(table.vmaf[place]), mean[place]
    within = GUESS_CRF.get(curve.encoder, _GUESS_CRF)
    found = []
    for target in TARGETS:
        measured = truth[table.measured[place]]
        if not measured.min() < target < measured.max():
            continue
        true_crf, guessed = (float(np.interp(-target, -c, crfs)) for c in (truth, guess))
        score = float(np.interp(guessed, crfs, table.vmaf[place]))
        found.append((abs(true_crf - guessed) <= within, abs(score - target)))
    return found


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)

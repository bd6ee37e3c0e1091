"""The making of a predictor: held-out evaluation, the final fit on all sources, and the file, checked against torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import VmafTuneError
from vmaftune.models.predictor import open_model
from vmaftune.training.design import SHIPPED, Design
from vmaftune.training.evaluate import Figures, by_curve, by_kind, errors, figures, leave_one_source_out
from vmaftune.training.export import to_onnx
from vmaftune.training.network import falling, fit_scaler, train
from vmaftune.training.table import Table, training_table
from vmaftune.training.uncertainty import Uncertainty, fit_uncertainty
from vmaftune.types import FloatArray

LARGEST_DIFFERENCE_VMAF = 1e-4
"""How far onnxruntime and torch may disagree, relative to a VMAF of 1."""


@dataclass(frozen=True, kw_only=True)
class TrainedPredictor:
    """A predictor and what is known of it.

    Attributes:
        content: the ONNX file.
        table: what it was trained on.
        mean: held-out curves, shape (n, KNOTS), and ``deviation`` their standard deviation.
        uncertainty: as exported.
        by_curve, by_kind: held-out figures.
        difference_vmaf: largest difference of onnxruntime and torch over all curves and knots.
    """

    content: bytes
    table: Table
    mean: FloatArray
    deviation: FloatArray
    uncertainty: Uncertainty
    by_curve: list[Figures]
    by_kind: list[Figures]
    difference_vmaf: float

    @property
    def metrics(self) -> dict[str, float]:
        """What the registry holds."""
        found = {"mae_vmaf": round(float(np.nanmean(errors(self.table, self.mean))), 4)}
        for group in self.by_curve:
            found[f"mae_vmaf {group.group}"] = group.mae_vmaf
            found[f"coverage_90 {group.group}"] = group.coverage_90
        return found

    def mae_of(self, keys: set[tuple[str, int]]) -> float | None:
        """Held-out mean absolute error in VMAF over the curves of these sources and heights, None where there are none."""
        own = [(s, int(h)) in keys for s, h in zip(self.table.sources, self.table.heights, strict=True)]
        each = errors(self.table, self.mean)[np.array(own)]
        return None if np.isnan(each).all() else float(np.nanmean(each))


def train_predictor(
    rows: Sequence[CorpusRow],
    ranges: Mapping[str, tuple[float, float]],
    *,
    seed: int,
    design: Design = SHIPPED,
    on_progress: Callable[[float], None] = lambda share: None,
) -> TrainedPredictor:
    """Train and evaluate; the same rows and seed give the same bytes.

    Args:
        rows: a checked corpus.
        ranges: CRFs of the first and last knot by encoder.
        on_progress: called with the share done, 0 to 1.

    Raises:
        UserError: too few sources.
        VmafTuneError: the file does not say what torch says.
    """
    table = training_table(rows, ranges)
    held = leave_one_source_out(table, design, seed=seed, on_progress=on_progress)
    uncertainty = fit_uncertainty(table, held.mean)
    deviation = uncertainty.deviation(held.mean, table.which)
    scaler = fit_scaler(table)
    final = train(table, scaler, design, [None], seed=seed)
    if final.weights is None:
        raise VmafTuneError(f"the design {design.name!r} cannot be exported")
    content = to_onnx(final.weights[0], scaler, uncertainty, table)
    difference = _difference(content, table, falling(final.curves[0].mean(axis=0)))
    if not difference <= LARGEST_DIFFERENCE_VMAF:
        raise VmafTuneError(f"onnxruntime and torch differ by {difference:.2g} VMAF: the model was not written")
    return TrainedPredictor(
        content=content,
        table=table,
        mean=held.mean,
        deviation=deviation,
        uncertainty=uncertainty,
        by_curve=figures(table, held.mean, deviation, by_curve(table)),
        by_kind=figures(table, held.mean, deviation, by_kind(table)),
        difference_vmaf=difference,
    )


def _difference(content: bytes, table: Table, curves: FloatArray) -> float:
    """Largest difference between the file's curves and ``curves``, in VMAF."""
    model = open_model(content, "the model just made")
    largest = 0.0
    for place, which in enumerate(table.which):
        weights = np.zeros(len(table.curves))
        weights[which] = 1.0
        mean, _ = model.run(table.inputs[place, :-2], weights)
        largest = max(largest, float(np.abs(mean - curves[place]).max()))
    return largest

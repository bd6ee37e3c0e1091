"""The making of a predictor: held-out evaluation, the final fit on all sources, and the file, checked against torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.models.predictor import open_model
from vmaftune.training.design import SHIPPED, Design
from vmaftune.training.evaluate import (
    REGION,
    Figures,
    by_curve,
    by_kind,
    errors,
    figures,
    held_out_deviation,
    leave_one_source_out,
)
from vmaftune.training.export import to_onnx
from vmaftune.training.network import falling, train
from vmaftune.training.table import CurveKey, Table, training_table
from vmaftune.training.uncertainty import Uncertainty, fit_uncertainty

LARGEST_DIFFERENCE_VMAF = 1e-4
"""How far onnxruntime and torch may disagree, relative to a VMAF of 1."""


@dataclass(frozen=True, kw_only=True)
class TrainedPredictor:
    """A predictor and what is known of it.

    Attributes:
        content: the ONNX file.
        table: what it was trained on.
        mean: held-out curves, shape (n, KNOTS), and ``deviation`` their standard deviation, held out as well.
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

    def mae_of(self, keys: Collection[CurveKey]) -> float | None:
        """Held-out mean absolute error in VMAF over these curves, None where it did not learn all of them."""
        place_of = {key: place for place, key in enumerate(self.table.keys)}
        if not keys or any(key not in place_of for key in keys):
            return None
        return float(np.nanmean(errors(self.table, self.mean)[[place_of[key] for key in keys]]))


def train_predictor(
    rows: Sequence[CorpusRow],
    ranges: Mapping[str, tuple[float, float]],
    *,
    seed: int,
    design: Design = SHIPPED,
    on_progress: Callable[[float], None] = lambda share: None,
) -> TrainedPredictor:
    """Train and evaluate; the same rows and seed give the same bytes on one host.

    Args:
        rows: a checked corpus.
        ranges: CRFs of the first and last knot by encoder.
        on_progress: called with the share done, 0 to 1.

    Raises:
        UserError: too few sources, or none with VMAF that errors count at.
        VmafTuneError: the file does not say what torch says.
    """
    table = training_table(rows, ranges)
    if np.isnan(errors(table, table.vmaf)).all():
        raise UserError(
            f"no curve of the corpus has a VMAF of {REGION[0]:g} to {REGION[1]:g}: nothing says how good it is"
        )
    if not design.shared:
        raise VmafTuneError(f"the design {design.name!r} cannot be exported")
    mean = leave_one_source_out(table, design, seed=seed, on_progress=on_progress)
    uncertainty = fit_uncertainty(table, mean)
    deviation = held_out_deviation(table, mean)
    final = train(table, design, [None], seed=seed)
    content = to_onnx(final.weights[0], uncertainty, table)
    difference = _difference(content, table, falling(final.curves[0].mean(axis=0)))
    if not difference <= LARGEST_DIFFERENCE_VMAF:
        raise VmafTuneError(f"onnxruntime and torch differ by {difference:.2g} VMAF: the model was not written")
    return TrainedPredictor(
        content=content,
        table=table,
        mean=mean,
        deviation=deviation,
        uncertainty=uncertainty,
        by_curve=figures(table, mean, deviation, by_curve(table)),
        by_kind=figures(table, mean, deviation, by_kind(table)),
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

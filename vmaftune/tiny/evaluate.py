"""What a tiny model says of a table of frames, and what it costs."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.models.full_reference import FrameScorer, TinyModel
from vmaftune.tiny import figures
from vmaftune.tiny.figures import Figures, Latency, SourceFigures, Spread
from vmaftune.tiny.folds import clip_places
from vmaftune.tiny.table import FrameTable

_SCHEMA = 1
_ROWS_TIMED = 512

Split = Literal[
    "leave-one-source-out", "leave-sources-out", "one source out", "fitted on these frames", "not known", "no data"
]
"""How the frames that the figures are of stand to those that were learned from."""


class EvalReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``eval_report.json`` holds. Errors are in VMAF.

    Attributes:
        schema: version of this.
        model: name of it.
        sha256, file_bytes: of the ONNX file.
        architecture, parameters: where they are known.
        split: how the frames stand to those that were learned from: the figures of ``fitted on these frames`` are no claim.
        folds: networks that were trained for the figures.
        frame, clip: over all frames, and over all clips (the mean over the frames of each).
        over_sources: each metric of frames over sources.
        sources: figures of each.
        latency: None where it was not measured.
        settings: what it was trained with, by name.
    """

    schema: int = _SCHEMA
    model: str
    sha256: str
    file_bytes: int
    architecture: str | None
    parameters: int | None
    split: Split
    folds: int
    frame: Figures
    clip: Figures
    over_sources: dict[str, Spread]
    sources: tuple[SourceFigures, ...]
    latency: Latency | None
    settings: dict[str, str | int | float | bool | None] = {}


def said_of(model: TinyModel, table: FrameTable) -> FloatArray:
    """Scores of all frames, VMAF, shape (n,); each clip is given whole, its frames in order.

    Raises:
        UserError, VmafTuneError: as of TinyModel.scores.
    """
    said = np.empty(len(table))
    for places in clip_places(table):
        said[places] = model.scores(table.features[places])
    return said


def evaluated(
    content: bytes,
    model: TinyModel,
    table: FrameTable,
    said: FloatArray,
    *,
    name: str,
    split: Split,
    folds: int = 0,
    settings: dict[str, str | int | float | bool | None] | None = None,
    timed: bool = True,
) -> EvalReport:
    """The report of scores that were ``said`` of a table's frames.

    Args:
        content: of the model's file.
        said: VMAF, shape (n,): the model's own, or those of the folds' networks.
        timed: measure latency too.

    Raises:
        UserError: the table is empty.
    """
    if not len(table):
        raise UserError(f"there is no frame to judge {shown(name)} by")
    frame, clip = figures.by_frame_and_clip(table, said)
    sources = figures.by_source(table, said)
    contract = model.contract
    return EvalReport(
        model=name,
        sha256=hashlib.sha256(content).hexdigest(),
        file_bytes=len(content),
        architecture=contract.architecture if contract else None,
        parameters=contract.parameters if contract else None,
        split=split,
        folds=folds,
        frame=frame,
        clip=clip,
        over_sources=figures.spreads(sources),
        sources=sources,
        latency=measured_latency(model, table) if timed else None,
        settings=settings or {},
    )


def measured_latency(model: TinyModel, table: FrameTable) -> Latency:
    """What one frame of the table costs; about a second, on a processor that others use too."""
    places = np.linspace(0, len(table) - 1, _ROWS_TIMED).astype(int)
    rows = table.features[places].astype(np.float32)
    session, names, given = model.session, [model.output], model.input
    bound_p50, bound_p95 = figures.latency(FrameScorer(model), rows)
    run_p50, run_p95 = figures.latency(lambda row: session.run(names, {given: row[None]})[0], rows)
    return Latency(
        bound_p50_us=round(bound_p50, 3),
        bound_p95_us=round(bound_p95, 3),
        run_p50_us=round(run_p50, 3),
        run_p95_us=round(run_p95, 3),
        calls=figures.CALLS,
    )

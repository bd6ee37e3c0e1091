"""From a table of frames to a model file and a report that can be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.models.full_reference import TinyModel
from vmaftune.tiny.architectures import Architecture
from vmaftune.tiny.evaluate import EvalReport, Split, evaluated
from vmaftune.tiny.export import check_same, to_onnx
from vmaftune.tiny.folds import Fold, clip_places, leave_one_source_out, one_source_out
from vmaftune.tiny.recipes import Recipe
from vmaftune.tiny.table import FrameTable
from vmaftune.tiny.train import Trained, train

_NO_FOLD = Fold()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be trained.

    Attributes:
        name: of the model.
        val_source: source that the model is blind to; None fits it on all.
        loso: judge it by networks that are each blind to one source, or, with ``groups``, to a group of them.
        targets: what the scores are, in words.
        smoke: it is only to be seen that everything works.
    """

    name: str
    architecture: Architecture
    recipe: Recipe
    seed: int = 0
    val_source: str | None = None
    loso: bool = False
    groups: int | None = None
    targets: str = "vmaf_v0.6.1 of each frame"
    smoke: bool = False

    def folds(self, table: FrameTable) -> tuple[Fold, tuple[Fold, ...]]:
        """What the model is blind to, and the folds that it is judged by: none where there are none.

        Raises:
            UserError: the table has no such source, or too few.
        """
        published = _NO_FOLD if self.val_source is None else one_source_out(table, self.val_source)[0]
        if self.loso:
            return published, leave_one_source_out(table, self.groups)
        return published, () if published == _NO_FOLD else (published,)

    def split(self) -> Split:
        """How the frames of its report stand to those that were learned from."""
        if self.smoke:
            return "no data"
        if self.loso:
            return "leave-one-source-out" if self.groups is None else "leave-sources-out"
        return "fitted on these frames" if self.val_source is None else "one source out"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A trained model.

    Attributes:
        content: of its ONNX file.
        report: how good it is.
        judged: the frames that the report is of, and ``said`` the scores that it is of, VMAF, shape (n,).
        difference_vmaf: the most that onnxruntime and torch differ by, on all clips.
    """

    content: bytes
    report: EvalReport
    judged: FrameTable
    said: FloatArray = field(repr=False)
    difference_vmaf: float


def fit(
    table: FrameTable,
    plan: Plan,
    *,
    threads: int = 1,
    checkpoint: Path | None = None,
    on_epoch: Callable[[int], None] = lambda epoch: None,
    timed: bool = True,
) -> Made:
    """Train the model and the folds' networks beside it, export, check, judge.

    Args:
        threads, checkpoint, on_epoch: as of train.
        timed: measure latency too.

    Raises:
        UserError: the table does not allow the plan.
        VmafTuneError: onnxruntime and torch differ by more than they may.
        OSError: the checkpoint could not be written.
    """
    published, judges = plan.folds(table)
    folds = judges if published in judges else (*judges, published)
    trained = train(
        table,
        folds,
        plan.architecture,
        plan.recipe,
        seed=plan.seed,
        threads=threads,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
    place = folds.index(published)
    network, clip = trained.networks[place], plan.recipe.clip
    content = to_onnx(network, scaler=plan.recipe.scaler, clip=clip)
    clips = (table.features[own] for own in clip_places(table))
    difference = max((check_same(content, network, features, clip=clip) for features in clips), default=0.0)
    model = TinyModel(content, plan.name)
    judged, said = _judged(table, trained, judges)
    report = evaluated(
        content,
        model,
        judged,
        said,
        name=plan.name,
        split=plan.split(),
        folds=len(judges),
        settings=_settings(plan, table, trained, place, difference),
        timed=timed,
    )
    return Made(content=content, report=report, judged=judged, said=said, difference_vmaf=difference)


def _judged(table: FrameTable, trained: Trained, judges: tuple[Fold, ...]) -> tuple[FrameTable, FloatArray]:
    """The frames that are judged, and what was said of them by a network that never saw them, where there is one."""
    if not judges:
        return table, trained.fitted
    said = np.full(len(table), np.nan)
    for fold, own in zip(judges, trained.held_out, strict=False):
        said[fold.held_out(table)] = own
    kept = np.isfinite(said)
    return table.where(kept), said[kept]


def _settings(
    plan: Plan, table: FrameTable, trained: Trained, place: int, difference: float
) -> dict[str, str | int | float | bool | None]:
    return {
        **{name: value for name, value in msgspec.structs.asdict(plan.recipe).items() if name != "name"},
        "recipe": plan.recipe.name,
        "seed": plan.seed,
        "targets": plan.targets,
        "blind_to": plan.val_source,
        "frames": len(table),
        "clips": len(table.clip_names),
        "sources": len(table.source_names),
        "lowest_score": float(table.scores.min()),
        "highest_score": float(table.scores.max()),
        "rmse_learned_from": round(trained.rmse[place], 4),
        "epochs_kept": trained.epochs[place],
        "difference_vmaf": difference,
    }

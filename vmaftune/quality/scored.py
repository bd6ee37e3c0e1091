"""Reports that hold scores: what they are of, under names that fit any metric, and under VMAF's own."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.quality.metric import Comparison
from vmaftune.quality.scale import USUAL, Scale


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What holds scores. A field whose name has ``score`` in it may have a twin with ``vmaf`` in its place (``final_score``,
    ``final_vmaf``): that holds the same where the metric is VMAF, else None, whatever it was given.

    Attributes:
        metric: by name.
    """

    metric: str = "vmaf"

    def __post_init__(self) -> None:
        for score, vmaf in _twins(type(self)):
            msgspec.structs.force_setattr(self, vmaf, getattr(self, score) if self.metric == "vmaf" else None)


class ScoredReport(Scored, frozen=True, kw_only=True):
    """A report of what was scored.

    Attributes:
        metric, unit: of all scores in it; follow from the next two.
        scale: what the scores are of. Of a scale, what is as usual is left out.
        measure: how they are written and which is better.
        vmaf_model: of the metric, as it was named; empty where it has none.
        vmaf_size: pixels that pictures were compared at; None where they kept their size.
    """

    unit: str = ""
    scale: Scale = USUAL
    measure: Measure = USUAL_MEASURE
    vmaf_model: str = ""
    vmaf_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "metric", self.scale.metric)
        msgspec.structs.force_setattr(self, "unit", self.measure.unit)
        super().__post_init__()

    def compared(self, times: str = "x") -> str:
        """By what, and at which size: ``vmaf_v0.6.1 at 1920x1080``."""
        size = "" if self.vmaf_size is None else f" at {self.vmaf_size[0]}{times}{self.vmaf_size[1]}"
        return f"{self.vmaf_model or self.measure.title}{size}"


def scored_by(comparison: Comparison, scale: Scale) -> dict[str, Any]:
    """The fields of a ScoredReport that say what its scores are of."""
    return {
        "scale": scale,
        "measure": comparison.metric.measure(comparison.model),
        "vmaf_model": comparison.model,
        "vmaf_size": comparison.size,
    }


def scored_as(report: ScoredReport) -> dict[str, Any]:
    """The same fields, of another report."""
    return {name: getattr(report, name) for name in ("scale", "measure", "vmaf_model", "vmaf_size")}


@functools.cache
def _twins(kind: type[Scored]) -> list[tuple[str, str]]:
    names = kind.__struct_fields__
    both = ((name, name.replace("score", "vmaf")) for name in names)
    return [(score, vmaf) for score, vmaf in both if score != vmaf and vmaf in names]

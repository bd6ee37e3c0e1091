"""What a predictor says of one scale, turned into another by what was measured of both.

Scores of two scales of one encode belong together: the mean of the one at a score of the other, and how far sources lie from
that mean, were measured on sources of many kinds (benchmarks/scales.py, docs/scales.md). A prediction goes through that
relation with its own uncertainty, and comes out with that of the relation added.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray, Prediction
from vmaftune.crf_search.prior import LENGTH, squared_exponential
from vmaftune.errors import VmafTuneError
from vmaftune.quality.metric import Metric
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.quality.vmaf import MODEL_4K, MODELS, VMAF

TABLE = "scales_v1.json"
NEG = Scale(model="vmaf_v0.6.1neg")
UHD = Scale(model=MODEL_4K)
V1 = Scale(model="vmaf_v1.0.16_3d0h", depth=10)
V1_FAR = Scale(model="vmaf_v1.0.16_5d0h", depth=10)
V1_FAST = Scale(model="vmaf_v1.0.16_hfr_3d0h", depth=10)
V1_UHD = Scale(model="vmaf_v1.0.16_1d5h_2160", depth=10)
OWN_SIZE = Scale(size="none")
XPSNR = Scale(metric="xpsnr", model="", depth=8)

MEASURED: tuple[tuple[Scale, Scale], ...] = (
    *((USUAL, scale) for scale in (NEG, V1, V1_FAR, V1_FAST, V1_UHD, UHD, OWN_SIZE, XPSNR)),
    (UHD, V1_UHD),
    (V1, V1_FAR),
    (V1, V1_FAST),
)
"""Pairs of scales whose relation was measured, each by its mean over frames; and of PERCENTILES of the pools below."""

POOLED: tuple[Scale, ...] = (USUAL, NEG, V1, V1_FAR, V1_FAST, OWN_SIZE, XPSNR)
"""Scales whose pools were measured, each as it follows from the mean."""

PERCENTILES = (0, 1, 5, 10, 25, 50, 75, 90, 100)

# What a step from a scale to one that was not measured may come to, by how the two differ: by what the same step came to where
# it was measured.
_STEPS: dict[str, tuple[Scale, Scale]] = {
    "generation": (USUAL, V1),
    "bound": (USUAL, UHD),
    "rate": (V1, V1_FAST),
    "model v0": (USUAL, NEG),
    "model v1": (V1, V1_FAR),
    "size": (USUAL, OWN_SIZE),
}
_LEAST_SPREAD = 0.5  # in scores: over which a slope is taken, so that one knot does not decide it
_OF_90_PERCENT = 1.645  # standard deviations
_TOLD_AT = 93.0  # VMAF: where a note says how far off sources are


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """How scores of one scale follow from those of another, over sources.

    A source's score is the mean at its known score, and a deviation of that source's own, Gaussian and smooth along the known
    score.

    Attributes:
        known, asked: from which scale to which.
        sources: how many were measured.
        knots: known scores, rising, shape (n,).
        mean: of the asked score at each knot, not falling, shape (n,); straight between knots and on beyond them.
        deviation: standard deviation between sources at each knot, shape (n,).
        length: over how many known scores a source's deviation changes (of a squared exponential).
    """

    known: Scale
    asked: Scale
    sources: int
    knots: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    length: float

    def mean_at(self, known: FloatArray) -> FloatArray:
        """Mean of the asked score at known ones; shape as ``known``."""
        knots, mean = np.array(self.knots), np.array(self.mean)
        below = np.minimum(known - knots[0], 0.0) * (mean[1] - mean[0]) / (knots[1] - knots[0])
        found: FloatArray = np.interp(known, knots, mean) + below
        return found

    def deviation_at(self, known: FloatArray) -> FloatArray:
        """Standard deviation between sources at known scores; shape as ``known``."""
        return np.interp(known, self.knots, self.deviation)

    def step_at(self, known: FloatArray) -> FloatArray:
        """Root mean square by which the two scores differ at known ones; shape as ``known``."""
        return np.hypot(self.mean_at(known) - known, self.deviation_at(known))

    def applied(self, given: Prediction, at: FloatArray, limits: tuple[float, float]) -> Prediction:
        """A prediction of the known scale as one of the asked scale.

        Its covariance goes through the relation's slope (over the width that the prediction itself leaves open); between
        sources it adds what scores near each other, at CRFs near each other, deviate by together. Both are positive
        semi-definite, so their sum is.

        Args:
            given: of the known scale, shapes (n,) and (n, n).
            at: place of each CRF in the encoder's search range, shape (n,).
            limits: least and greatest score of the asked scale.
        """
        mean, open_by = given.mean, np.sqrt(np.clip(given.covariance.diagonal(), 0.0, None))
        reach = np.maximum(open_by, _LEAST_SPREAD)
        ends = self.mean_at(np.stack([mean - reach, mean + reach]))
        slope = (ends[1] - ends[0]) / (2.0 * reach)
        covariance = given.covariance * np.outer(slope, slope) + self.between(mean, at)
        return Prediction(mean=np.clip(self.mean_at(mean), *limits), covariance=covariance, note=given.note)

    def between(self, known: FloatArray, at: FloatArray, deviation: FloatArray | None = None) -> FloatArray:
        """Covariance of one source's deviations at known scores and places of the grid, shape (n, n)."""
        deviation = self.deviation_at(known) if deviation is None else deviation
        return (
            np.outer(deviation, deviation) * squared_exponential(known, self.length) * squared_exponential(at, LENGTH)
        )


class Relations(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that was measured.

    Attributes:
        schema: 1.
        relations: those of means, then those of pools.
    """

    schema: int
    relations: tuple[Relation, ...]

    @functools.cached_property
    def version(self) -> str:
        """Identifies the table, such as ``scales_v1-1a2b3c4d``: what is learned of a curve that went through it rests on it."""
        digest = hashlib.sha256(msgspec.json.encode(self)).hexdigest()
        return f"scales_v{self.schema}-{digest[:8]}"

    def of(self, known: Scale, asked: Scale) -> Relation | None:
        """The relation between two scales; None where it was not measured."""
        return next((r for r in self.relations if r.known == known and r.asked == asked), None)

    def bridge(self, known: Sequence[Scale], asked: Scale) -> Bridge | None:
        """The way from the nearest of some scales to another; None where there is none.

        A scale's relation leads to it, or else to the nearest one that was measured, in this order: of the same generation of
        models, for pictures of the same size, for the same frame rates, of the same model, at the same bits, compared at the
        same size. Where it is not the one that was asked for, the band is wider by what such a step comes to where it was
        measured. The pool comes last. Of two ways to one scale the one is taken from whose mean sources lie less far.
        """
        ways = [way for scale in known if (way := self._bridge(scale, asked)) is not None]
        return min(ways, key=lambda way: (_away(way.reached, asked), way.deviation), default=None)

    def _bridge(self, known: Scale, asked: Scale) -> Bridge | None:
        if known.pool not in ("mean", asked.pool):
            return None
        aim = msgspec.structs.replace(asked, pool=known.pool)
        there = {r.asked: r for r in self.relations if r.known == known and r.asked.pool == known.pool}
        alike = [scale for scale in (known, *there) if scale.metric == aim.metric]
        if not alike:
            return None
        reached = min(alike, key=lambda scale: _away(scale, aim))
        pooled = self._pooled(aim, asked.pool) if asked.pool != known.pool else None
        if asked.pool != known.pool and pooled is None:
            return None
        wider = tuple(self._step(name) for name in _differences(reached, aim))
        relation = there.get(reached)
        return Bridge(known=known, asked=asked, reached=reached, relation=relation, wider=wider, pooled=pooled)

    def _step(self, name: str) -> Relation:
        step = self.of(*_STEPS[name])
        assert step is not None  # the table has all of MEASURED
        return step

    def _pooled(self, aim: Scale, pool: str) -> Relation | None:
        """How a pool follows from the mean, of the nearest scale whose pools were measured."""
        of_metric = {r.known for r in self.relations if r.known.metric == aim.metric and r.asked.pool != "mean"}
        if not of_metric:
            return None
        scale = min(sorted(of_metric, key=str), key=lambda scale: _away(scale, aim))
        if pool == "harmonic_mean":
            return self.of(scale, msgspec.structs.replace(scale, pool=pool))
        return between_percentiles(self, scale, 0 if pool == "min" else int(pool[1:]))


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """The way from a scale that a predictor knows to the one that was asked for.

    Attributes:
        known, asked: its ends.
        reached: the nearest scale to the one asked for that was measured, but for the pool.
        relation: from the known scale to that; None where they are one.
        wider: steps from there that were measured elsewhere, by which the band is wider.
        pooled: from the mean to the pool; None where that is the known scale's.
    """

    known: Scale
    asked: Scale
    reached: Scale
    relation: Relation | None
    wider: tuple[Relation, ...]
    pooled: Relation | None

    @property
    def deviation(self) -> float:
        """Standard deviation between sources on the way to ``reached``, in the middle of what is searched for."""
        return 0.0 if self.relation is None else float(self.relation.deviation_at(np.array([_TOLD_AT]))[0])

    def over(self, given: Prediction, at: FloatArray, metric: Metric) -> Prediction:
        """A prediction of the known scale as one of the asked scale, with a note that says so.

        Args:
            given: of the known scale.
            at: place of each CRF in the encoder's search range, shape (n,).
            metric: of the asked scale.
        """
        note = "; ".join(part for part in (given.note, self._note(metric)) if part)
        return replace(self._crossed(given, at, metric), note=note)

    def _crossed(self, given: Prediction, at: FloatArray, metric: Metric) -> Prediction:
        crossed = given
        if self.relation is not None:
            crossed = self.relation.applied(crossed, at, metric.limits(self.reached.model))
        for step in self.wider:
            # Steps were measured in VMAF; of another metric, its grain is as much as one VMAF.
            vmaf = given.mean if self.known.metric == VMAF.name else np.full(len(at), _TOLD_AT)
            wider = step.between(vmaf, at, metric.grain * step.step_at(vmaf))
            crossed = replace(crossed, covariance=crossed.covariance + wider)
        if self.pooled is not None:
            crossed = self.pooled.applied(crossed, at, metric.limits(self.asked.model))
        return crossed

    def _note(self, metric: Metric) -> str:
        of_vmaf = self.known.metric == VMAF.name
        known = _TOLD_AT if of_vmaf else float(np.mean(metric.usual_range))
        exact = Prediction(mean=np.array([known]), covariance=np.zeros((1, 1)))
        band = _OF_90_PERCENT * math.sqrt(self._crossed(exact, np.zeros(1), metric).covariance[0, 0])
        measured = [one for one in (self.relation, *self.wider, self.pooled) if one is not None]
        nearest = f" by way of {_named(self.reached)}, the nearest that was measured," if self.wider else ""
        unit = f" {metric.unit}" if metric.unit else ""
        return (
            f"the prior of {_named(self.asked)} is made from that of {_named(self.known)}{nearest} as they were measured on"
            f" {min(one.sources for one in measured)} sources: near {known:.0f}, 90 % lie within {band:.1f}{unit} of it"
        )


def between_percentiles(table: Relations, scale: Scale, percentile: int) -> Relation | None:
    """How a percentile of frames follows from their mean, by interpolation between those that were measured."""
    low = max(p for p in PERCENTILES if p <= percentile)
    high = min(p for p in PERCENTILES if p >= percentile)
    first, second = (table.of(scale, msgspec.structs.replace(scale, pool=percentile_pool(p))) for p in (low, high))
    if first is None or second is None:
        return None
    share = 0.0 if low == high else (percentile - low) / (high - low)

    def mixed(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
        values: list[float] = ((1.0 - share) * np.array(one) + share * np.array(other)).tolist()
        return tuple(values)

    return msgspec.structs.replace(
        first,
        asked=msgspec.structs.replace(scale, pool=f"p{percentile}"),
        mean=mixed(first.mean, second.mean),
        deviation=mixed(first.deviation, second.deviation),
    )


def percentile_pool(percentile: int) -> str:
    """The name of a pool; the 0th percentile is the minimum."""
    return f"p{percentile}" if percentile else "min"


@functools.cache
def shipped() -> Relations:
    """The table that vmaf-tune ships.

    Raises:
        VmafTuneError: it is missing or broken: the installation is not whole.
    """
    try:
        content = importlib.resources.files("vmaftune_models").joinpath(TABLE).read_bytes()
        return msgspec.json.decode(content, type=Relations)
    except (OSError, ModuleNotFoundError, msgspec.DecodeError) as error:
        raise VmafTuneError(
            f"{TABLE} of this installation is missing or broken: {error}; install vmaf-tune again"
        ) from error


def _named(scale: Scale) -> str:
    """For a person; the bits of a comparison follow from the model."""
    return str(msgspec.structs.replace(scale, depth=None))


def _differences(one: Scale, other: Scale) -> Iterator[str]:
    """The steps from one scale to another of the same metric, as named in _STEPS."""
    first, second = MODELS.get(one.model), MODELS.get(other.model)
    if one.model != other.model and one.metric == VMAF.name:
        steps = []
        if first is None or second is None or first.generation != second.generation:
            steps.append("generation")
        if first is not None and second is not None:
            steps += ["bound"] if first.bound != second.bound else []
            steps += ["rate"] if first.hfr != second.hfr else []
        yield from steps or [f"model {second.generation if second is not None else 'v0'}"]
    elif one.model != other.model:
        yield "generation"
    if one.size != other.size or (one.model == other.model and one.depth != other.depth):
        yield "size"


def _away(one: Scale, other: Scale) -> tuple[bool, ...]:
    """How far two scales are from each other: the first difference counts most."""
    first, second = MODELS.get(one.model), MODELS.get(other.model)
    known = first is not None and second is not None
    return (
        one.metric != other.metric,
        (first and first.generation) != (second and second.generation),
        known and first.bound != second.bound,  # type: ignore[union-attr]
        known and first.hfr != second.hfr,  # type: ignore[union-attr]
        one.model != other.model,
        one.depth != other.depth,
        one.size != other.size,
    )

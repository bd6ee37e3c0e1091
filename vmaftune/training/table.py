"""A corpus as training sees it: one line for each measured curve, at the same number of knots for every encoder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.features import NAMES
from vmaftune.corpus.check import drop_short_curves
from vmaftune.corpus.population import curve_through
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.features.pilot import FAMILIES, family_by_name

KNOTS = 37
LEAST_SOURCES = 15
"""Sources that a curve needs to be trained; encoders with fewer are left to the population prior."""

_MEASURED_WITHIN_CRF = 4.0
PILOT_SCORES = ("pilot_vmaf_fine", "pilot_vmaf_coarse")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One encoder at one preset, and the CRFs of its first and last knot."""

    encoder: str
    preset: str | None
    low: float
    high: float

    @property
    def name(self) -> str:
        return f"{self.encoder} {self.preset or 'none'}"

    @property
    def family(self) -> int:
        """Place of its pilot's family in FAMILIES."""
        return FAMILIES.index(family_by_name(self.encoder))

    @property
    def crfs(self) -> FloatArray:
        """Its knots, shape (KNOTS,)."""
        knots: FloatArray = np.linspace(self.low, self.high, KNOTS)
        return knots


@dataclass(frozen=True, kw_only=True)
class Table:
    """n measured curves.

    Attributes:
        curves: the m kinds of curve.
        which: place in ``curves`` of each, shape (n,).
        clips, sources, kinds: of each, n names.
        heights: of each, in pixels, shape (n,).
        inputs: raw features and what network_inputs adds, shape (n, d + 2).
        vmaf: at the knots, shape (n, KNOTS).
        measured: whether a knot lies among the measured CRFs or near them, shape (n, KNOTS).
    """

    curves: tuple[Curve, ...]
    which: np.ndarray
    clips: tuple[str, ...]
    sources: tuple[str, ...]
    kinds: tuple[str, ...]
    heights: np.ndarray
    inputs: FloatArray
    vmaf: FloatArray
    measured: np.ndarray

    @property
    def families(self) -> np.ndarray:
        """Place of each curve's pilot family in FAMILIES, shape (n,)."""
        families: np.ndarray = np.array([curve.family for curve in self.curves])[self.which]
        return families

    @property
    def keys(self) -> list[CurveKey]:
        """What no two curves share."""
        each = zip(self.clips, self.heights.tolist(), self.which.tolist(), strict=True)
        return [(clip, height, self.curves[place].name) for clip, height, place in each]

    def without(self, source: str | None) -> Table:
        """The curves of all other sources; all curves for None."""
        places = [place for place, name in enumerate(self.sources) if name != source]
        return replace(
            self,
            which=self.which[places],
            clips=tuple(self.clips[place] for place in places),
            sources=tuple(self.sources[place] for place in places),
            kinds=tuple(self.kinds[place] for place in places),
            heights=self.heights[places],
            inputs=self.inputs[places],
            vmaf=self.vmaf[places],
            measured=self.measured[places],
        )


CurveKey = tuple[str, int, str]
"""Clip, height in pixels, encoder with preset."""


def network_inputs(features: FloatArray) -> FloatArray:
    """Features with the logarithm of what the pilots lack to 100 beside them: VMAF bends towards its ceiling.

    Args:
        features: raw, shape (n, d).

    Returns:
        Shape (n, d + 2).
    """
    lacking: FloatArray = np.clip(100.0 - features[:, [NAMES.index(name) for name in PILOT_SCORES]], 0.0, 100.0)
    inputs: FloatArray = np.concatenate([features, np.log1p(lacking)], axis=1)
    return inputs


def training_table(rows: Sequence[CorpusRow], ranges: Mapping[str, tuple[float, float]]) -> Table:
    """Curves of all encoders with enough sources. Rows with a feature that could not be measured do not count.

    Args:
        ranges: CRFs of the first and the last knot by encoder; an encoder that is not there does not count either.

    Raises:
        UserError: no encoder has enough sources.
    """
    kept, _ = drop_short_curves(row for row in rows if row.encoder in ranges and np.isfinite(row.features).all())
    points: dict[tuple[str, int, str, str | None], dict[float, float]] = defaultdict(dict)
    first: dict[tuple[str, int, str, str | None], CorpusRow] = {}
    for row in kept:
        key = (row.clip, row.height, row.encoder, row.preset)
        points[key][row.crf] = row.vmaf_mean
        first.setdefault(key, row)
    sources = defaultdict(set)
    for row in first.values():
        sources[row.encoder, row.preset].add(row.source)
    kinds_of_curve = sorted((c for c, of in sources.items() if len(of) >= LEAST_SOURCES), key=str)
    if not kinds_of_curve:
        most = max((len(of) for of in sources.values()), default=0)
        raise UserError(
            f"the corpus has whole curves, with all features, of {most} sources for one encoder and preset: training "
            f"needs {LEAST_SOURCES}"
        )
    curves = tuple(Curve(encoder=e, preset=p, low=ranges[e][0], high=ranges[e][1]) for e, p in kinds_of_curve)
    keys = sorted((key for key in points if key[2:] in kinds_of_curve), key=str)
    which = np.array([kinds_of_curve.index(key[2:]) for key in keys])
    vmaf, measured = [], []
    for key, place in zip(keys, which, strict=True):
        knots, crfs = curves[place].crfs, sorted(points[key])
        vmaf.append(curve_through(points[key], knots))
        measured.append((knots >= crfs[0] - _MEASURED_WITHIN_CRF) & (knots <= crfs[-1] + _MEASURED_WITHIN_CRF))
    return Table(
        curves=curves,
        which=which,
        clips=tuple(key[0] for key in keys),
        sources=tuple(first[key].source for key in keys),
        kinds=tuple(first[key].kind for key in keys),
        heights=np.array([key[1] for key in keys]),
        inputs=network_inputs(np.array([first[key].features for key in keys])),
        vmaf=np.array(vmaf),
        measured=np.array(measured),
    )

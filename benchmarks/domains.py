"""What hosts meet that no predictor was told of: domains of curves, each with a predictor that saw none of its sources."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vmaftune.contract import FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import Features
from vmaftune.contract.positions import crf_positions
from vmaftune.corpus.check import drop_short_curves
from vmaftune.corpus.population import curve_through
from vmaftune.corpus.rows import CorpusRow, model_rows, packed, read_rows
from vmaftune.crf_search.grid import crf_grid
from vmaftune.models import UnknownModel, find
from vmaftune.state.folders import models_folder
from vmaftune.training.predictor import train_predictor
from vmaftune.training.register import register_predictor

SHIFTED = Path(__file__).parent / "shifted"
FOLDS = 8
GRAPHICS = ("animation", "game", "screen")
_SHIPPED = "mlp_v1"
_BEYOND_MEASURED_CRF = 2.0
MUCH_MOVES = 7.7  # temporal information that half of the corpus has more of


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One measured curve, and how a host would ask for it.

    Attributes:
        source: what evaluation is split by.
        model: id of a registered predictor that saw nothing of the source.
        features, encoder, preset, grid: of the search; the preset is the one asked for.
        truth: VMAF over the grid, through the measured points, shape (n,).
        measured: where the grid lies among the measured CRFs or near them, shape (n,).
    """

    source: str
    model: str
    features: Features
    encoder: EncoderSpec
    preset: str | None
    grid: FloatArray
    truth: FloatArray
    measured: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Curves of one kind.

    Attributes:
        name: in tables.
        shifted: False where nothing is to be learned.
        curves: of many sources.
    """

    name: str
    shifted: bool
    curves: list[Curve]


Change = Callable[[FloatArray, FloatArray, Features], FloatArray]


def unchanged(vmaf: FloatArray, at: FloatArray, features: Features) -> FloatArray:
    """No shift."""
    return vmaf


def domains(encoders: dict[str, EncoderSpec], tell: Callable[[str], None]) -> list[Domain]:
    """All domains; predictors that are not registered yet are trained, which takes a minute each.

    Args:
        encoders: by name.
        tell: shows one line.
    """
    rows = model_rows(find(_SHIPPED))
    sources = sorted({row.source for row in rows})
    order = np.random.default_rng(0).permutation(len(sources))
    fold_of = {sources[place]: f"fold-{n % FOLDS}" for n, place in enumerate(order)}
    graphics = {row.source for row in rows if row.kind in GRAPHICS}
    ranges = {name: spec.search_range for name, spec in encoders.items()}
    for fold in sorted(set(fold_of.values())):
        ensure(fold, [row for row in rows if fold_of[row.source] != fold], ranges, tell)
    ensure("no-graphics", [row for row in rows if row.source not in graphics], ranges, tell)

    def curves(
        of: Sequence[CorpusRow],
        asked: str,
        preset: str,
        true_preset: str | None = None,
        model: Callable[[str], str | None] = fold_of.get,
        change: Change = unchanged,
    ) -> list[Curve]:
        return curves_of(of, encoders[asked], preset, true_preset or preset, model, change)

    only_graphics = dict.fromkeys(graphics, "no-graphics").get
    found = [
        Domain(name="as trained, x264", shifted=False, curves=curves(rows, "libx264", "medium")),
        Domain(name="as trained, x265", shifted=False, curves=curves(rows, "libx265", "medium")),
        Domain(name="as trained, SVT-AV1", shifted=False, curves=curves(rows, "libsvtav1", "8")),
        Domain(
            name="encoder 3 VMAF worse",
            shifted=True,
            curves=curves(
                rows, "libx264", "medium", change=lambda vmaf, at, features: vmaf - 3.0 * below_ceiling(vmaf)
            ),
        ),
        Domain(
            name="encoder off by more at high CRF",
            shifted=True,
            curves=curves(
                rows, "libx264", "medium", change=lambda vmaf, at, features: vmaf - 8.0 * at * below_ceiling(vmaf)
            ),
        ),
        Domain(
            name="5 VMAF worse where much moves",
            shifted=True,
            curves=curves(
                rows,
                "libx264",
                "medium",
                change=lambda vmaf, at, features: vmaf - 5.0 * below_ceiling(vmaf) * (features["ti_mean"] > MUCH_MOVES),
            ),
        ),
        Domain(name="graphics only", shifted=True, curves=curves(rows, "libx264", "medium", model=only_graphics)),
    ]
    for name, title, preset in (
        ("grain", "film grain added", "medium"),
        ("superfast", "preset superfast, taken for medium", "superfast"),
        ("ultrafast", "preset ultrafast, taken for medium", "ultrafast"),
    ):
        file = SHIFTED / f"{name}.rows.jsonl.gz"
        if file.exists():
            own = curves(read_rows(file), "libx264", "medium", true_preset=preset)
            found.append(Domain(name=title, shifted=True, curves=own))
    return found


def curves_of(
    rows: Sequence[CorpusRow],
    spec: EncoderSpec,
    preset: str,
    true_preset: str,
    model: Callable[[str], str | None],
    change: Change = unchanged,
) -> list[Curve]:
    """The curves in ``rows`` of one encoder at ``true_preset``, for a host that asks for ``preset``.

    Args:
        model: id of the predictor that is blind to a source; sources for which there is none are left out.
        change: of VMAF, given places in the search range and features.
    """
    made = defaultdict(list)
    for row in drop_short_curves([row for row in rows if (row.encoder, row.preset) == (spec.name, true_preset)])[0]:
        made[row.source, row.clip, row.height].append(row)
    grid = crf_grid(spec, None, None, None)
    result = []
    for (source, _, _), points in sorted(made.items()):
        blind = model(source)
        if blind is None:
            continue
        known = sorted(row.crf for row in points)
        features = Features(schema=points[0].feature_schema, values=points[0].features)
        truth = curve_through({row.crf: row.vmaf_mean for row in points}, grid)
        near = (grid >= known[0] - _BEYOND_MEASURED_CRF) & (grid <= known[-1] + _BEYOND_MEASURED_CRF)
        result.append(
            Curve(
                source=source,
                model=blind,
                features=features,
                encoder=spec,
                preset=preset,
                grid=grid,
                truth=np.clip(change(truth, crf_positions(spec, grid), features), 0.0, 100.0),
                measured=near,
            )
        )
    return result


def below_ceiling(vmaf: FloatArray) -> FloatArray:
    """From 0 at VMAF 100, where no encoder is worse than another, to 1 some way below it."""
    return 1.0 - np.exp(-(100.0 - vmaf) / 2.0)


def ensure(
    name: str, rows: list[CorpusRow], ranges: dict[str, tuple[float, float]], tell: Callable[[str], None]
) -> None:
    """Train and register a predictor on ``rows``, unless one of that name was made from just these."""
    data = packed(rows)
    try:
        if find(name).data_sha256 == hashlib.sha256(data).hexdigest():
            return
    except UnknownModel:
        pass
    tell(f"training {name} on {len({row.source for row in rows})} sources")
    register_predictor(models_folder(), name, train_predictor(rows, ranges, seed=0), data)

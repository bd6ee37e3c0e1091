"""A corpus that was never measured: curves that follow from the features, so that what can be learned is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.corpus.conftest import made_row
from vmaftune.contract.features import FEATURES, NAMES
from vmaftune.corpus.rows import CorpusRow
from vmaftune.features.pilot import AV1, family_by_name
from vmaftune.training.design import Design

ENCODERS: tuple[tuple[str, str | None], ...] = (("libsvtav1", "8"), ("libx264", "medium"))
RANGES = {"libsvtav1": (5.0, 63.0), "libx264": (10.0, 46.0), "libvpx-vp9": (10.0, 60.0)}
CRF_SHARES = (0.1, 0.3, 0.5, 0.7, 0.95)
SMALL = Design(name="small", hidden=(8,), members=2, steps=150)
"""Trained in a second or two."""


def made_rows(
    *,
    sources: int = 18,
    encoders: Sequence[tuple[str, str | None]] = ENCODERS,
    noise: float = 0.0,
    contrary: str | None = None,
) -> list[CorpusRow]:
    """Rows of ``film 00``, ``film 01`` and so on; every third has a second clip of another height, another kind each.

    Args:
        noise: standard deviation of what no feature tells of a source's difficulty.
        contrary: a source whose curves are as hard as its features say that it is easy.
    """
    rows = []
    for number in range(sources):
        source = f"film {number:02}"
        random = np.random.default_rng(number)
        told, seen = random.uniform(-1.0, 1.0), dict(zip(NAMES, random.uniform(-1.0, 1.0, len(NAMES)), strict=True))
        clips = [(source, 720, told)]
        if number % 3 == 0:
            clips.append((f"{source} b", 540, told - 0.3))
        for clip, height, easy in clips:
            hard = -easy if source == contrary else easy
            for encoder, preset in encoders:
                harder = -0.8 * hard + noise * random.standard_normal()
                low, high = RANGES[encoder]
                for share in CRF_SHARES:
                    rows.append(
                        made_row(
                            source=source,
                            clip=clip,
                            kind=("animation", "film", "screen")[number % 3],
                            encoder=encoder,
                            preset=preset,
                            crf=round(low + share * (high - low)),
                            features=_features(seen, easy, encoder, height),
                            vmaf_mean=float(np.clip(100.0 - 40.0 * share**2 * np.exp(harder), 0.0, 100.0)),
                            width=height * 16 // 9,
                            height=height,
                        )
                    )
    return rows


def _features(seen: dict[str, float], easy: float, encoder: str, height: int) -> tuple[float, ...]:
    """The pilots tell how easy it is, each family on a scale of its own; all else says nothing of it."""
    scaled = {**seen, "log2_pixels": height / 720 - 1}
    family = -0.5 if family_by_name(encoder) == AV1.family else 0.0
    for name in NAMES:
        if name.startswith("pilot"):
            scaled[name] = family + easy
    return tuple(float(scale.centre + scale.spread * scaled[name]) for name, scale in FEATURES.items())

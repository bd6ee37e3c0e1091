"""What plugins are asked and told in checks: sources, curves and captures as ordinary video gives them, and odd ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from vmaftune.contract.captures import Capture
from vmaftune.contract.curves import CurveContext, FloatArray, Prediction
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import FEATURES, NAMES, SCHEMA_VERSION, Features
from vmaftune.contract.positions import crf_positions
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.prior import uninformed

LEARNED_ENCODER = EncoderSpec(
    name="libx264", step=0.1, presets=("ultrafast", "medium", "placebo"), default_preset="medium"
)
"""Its captures are those that corrections and trainers learn from. Stated here, so that every host checks the same."""

UNKNOWN_ENCODER = EncoderSpec(name="an_encoder_that_nobody_knows", presets=("slow", "fast"), default_preset="fast")

_FARTHEST = 2.0  # spreads from the centre: still ordinary
_BEGIN_UNIX_SECONDS = 1.7e9
_SECONDS_BETWEEN = 60.0
_HUGE = 1e12
_COARSER = 10


def sources(number: int, seed: int = 1) -> list[Features]:
    """Features of ordinary sources, each about its scale's centre and within what its unit allows."""
    random = np.random.default_rng(seed)
    return [Features(schema=SCHEMA_VERSION, values=tuple(_ordinary(random))) for _ in range(number)]


def unmeasured(features: Features) -> Features:
    """The same source on a host that cannot make pilots."""
    return _with(features, {name: math.nan for name in NAMES if name.startswith("pilot_")})


def huge(features: Features) -> Iterator[Features]:
    """Sources that cannot be: all features far above, and far below, anything that was ever measured."""
    for value in (_HUGE, -_HUGE):
        yield _with(features, dict.fromkeys(NAMES, value))


def contexts(encoders: Mapping[str, EncoderSpec]) -> list[CurveContext]:
    """Curves of each encoder: its grid at its default preset, whole and of one CRF; a coarser one at its first and last."""
    made: list[tuple[EncoderSpec, str | None, FloatArray]] = []
    for spec in encoders.values():
        grid = crf_grid(spec, None, None, None)
        made += [(spec, spec.default_preset, grid), (spec, spec.default_preset, grid[len(grid) // 2 :][:1])]
        made += [(spec, preset, grid[::_COARSER]) for preset in (*spec.presets[:1], *spec.presets[-1:])]
    return [
        CurveContext(features=features, encoder=spec, preset=preset, crfs=crfs.copy())
        for features, (spec, preset, crfs) in zip(sources(len(made)), made, strict=True)
    ]


def curve(features: Features, spec: EncoderSpec, preset: str | None) -> CurveContext:
    """The whole grid of an encoder."""
    return CurveContext(features=features, encoder=spec, preset=preset, crfs=crf_grid(spec, None, None, None))


def copied(context: CurveContext) -> CurveContext:
    """For a plugin to have, whatever it does to the array."""
    return replace(context, crfs=context.crfs.copy())


def given(context: CurveContext) -> Prediction:
    """What a correction is given: a curve that falls, and is not well known."""
    return uninformed(context, "made for a check")


def captures(
    features: Sequence[Features], scores_each: int = 2, residual: float | None = None, seed: int = 2
) -> list[Capture]:
    """Scores of sources at CRFs over the grid of LEARNED_ENCODER.

    Args:
        features: of the sources.
        residual: of every score, in VMAF; None draws one for each source as a predictor leaves them, and a little noise.
    """
    random = np.random.default_rng(seed)
    made: list[Capture] = []
    for of_source in features:
        context = curve(of_source, LEARNED_ENCODER, LEARNED_ENCODER.default_preset)
        prediction, positions = given(context), crf_positions(context.encoder, context.crfs)
        level = random.normal(1.5, 2.0)
        for index in random.choice(len(context.crfs), scores_each, replace=False):
            missed = level + random.normal(0.0, 0.3) if residual is None else residual
            made.append(
                Capture(
                    features=of_source,
                    encoder=context.encoder.name,
                    preset=context.preset,
                    crf=float(context.crfs[index]),
                    crf_position=float(positions[index]),
                    predicted=float(prediction.mean[index]),
                    deviation=math.sqrt(float(prediction.covariance[index, index])),
                    corrected=float(prediction.mean[index]),
                    observed=float(np.clip(prediction.mean[index] + missed, 0.0, 100.0)),
                    unix_seconds=_BEGIN_UNIX_SECONDS + _SECONDS_BETWEEN * len(made),
                )
            )
    return made


def odd_captures() -> list[Capture]:
    """Captures of sources without pilots, of sources that cannot be, and of scores that no predictor could miss by so much."""
    source, *others = sources(3, seed=3)
    of_odd = captures([unmeasured(source), *huge(source)])
    return [*of_odd, *captures(others, residual=100.0), *captures(others, residual=-100.0)]


def _ordinary(random: np.random.Generator) -> Iterator[float]:
    for name, scale in FEATURES.items():
        value = scale.centre + scale.spread * float(np.clip(random.normal(), -_FARTHEST, _FARTHEST))
        if name == "bit_depth":
            yield 8.0 if value < 9.0 else 10.0
        elif "log2" in name:
            yield value
        else:
            highest = 1.0 if name.endswith("share") else 100.0 if "vmaf" in name else math.inf
            yield min(max(value, 0.0), highest)


def _with(features: Features, changes: Mapping[str, float]) -> Features:
    values = tuple(changes.get(name, value) for name, value in zip(NAMES, features.values, strict=True))
    return msgspec.structs.replace(features, values=values)

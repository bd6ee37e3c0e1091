"""The curves of a corpus: which encoder, preset and CRFs each source is measured at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.crf_search.grid import crf_grid
from vmaftune.encoders.spec import check_preset, find_encoder, number, settings_for
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg

_CRFS = 8
_TOLERANCE = 1e-6


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One encoder at one preset and the CRFs to measure."""

    spec: EncoderSpec
    preset: str | None
    crfs: tuple[float, ...]


def parse_curves(texts: Sequence[str], encoders: Mapping[str, EncoderSpec], ffmpeg: Ffmpeg) -> list[Curve]:
    """What ``--curve NAME[:PRESET][=CRFS]`` asks for: the encoder's own preset and 8 CRFs where they are left out.

    Args:
        encoders: those we know, by name.
        ffmpeg: must have them.

    Raises:
        UserError: there is no such encoder, preset or CRF.
    """
    return [_curve(text, encoders, ffmpeg) for text in texts]


def _curve(text: str, encoders: Mapping[str, EncoderSpec], ffmpeg: Ffmpeg) -> Curve:
    who, equals, crfs = text.partition("=")
    name, colon, preset = who.partition(":")
    spec = find_encoder(name, encoders, ffmpeg, f"--curve {text}: encoder")
    if colon and spec.preset_option is None:
        raise UserError(f"--curve {text}: {name} has no presets")
    check_preset(spec, preset if colon else None, f"--curve {text}: preset")
    settings = settings_for(
        spec,
        preset=preset if colon else None,
        pix_fmt=None,
        video_filter=None,
        extra=(),
        source_pix_fmt=spec.pix_fmts[0],
        source_size=(2, 2),
    )
    chosen = _crfs(crfs, spec, text) if equals else _spread(spec)
    return Curve(spec=spec, preset=settings.preset, crfs=chosen)


def _spread(spec: EncoderSpec) -> tuple[float, ...]:
    """CRFs spread evenly over the encoder's search range, on its grid."""
    grid = np.sort(crf_grid(spec, None, None, None))
    places = np.unique(np.round(np.linspace(0, len(grid) - 1, _CRFS)).astype(int))
    return tuple(grid[places].tolist())


def _crfs(text: str, spec: EncoderSpec, curve: str) -> tuple[float, ...]:
    try:
        crfs = tuple(dict.fromkeys(float(part) for part in text.split(",")))
    except ValueError as error:
        raise UserError(f"--curve {curve}: CRFs must be numbers separated by commas") from error
    least, most = spec.quality_range
    for crf in crfs:
        if not least <= crf <= most:
            raise UserError(f"--curve {curve}: {spec.name} takes CRF {number(least)} to {number(most)}")
        # An encoder that takes whole numbers would round in silence, and the row would be of another CRF.
        if not math.isclose(crf / spec.step, round(crf / spec.step), rel_tol=0.0, abs_tol=_TOLERANCE):
            raise UserError(
                f"--curve {curve}: CRFs of {spec.name} are {number(spec.step)} apart, {number(crf)} lies between"
            )
    return crfs

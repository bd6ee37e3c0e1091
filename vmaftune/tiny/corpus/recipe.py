"""Which distortions a made corpus has: encoders x heights x CRFs, spread so that VMAF is covered from 20 to 100."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction

import msgspec

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.corpus.sources import scaled_size
from vmaftune.encoders.spec import number
from vmaftune.errors import UserError

_LEAST_HEIGHT = 16
_NATIVE = "native"
_SCALED = (0.15, 0.8)
"""Share of the quality range that scaled distortions take: they are never near 100, and the worst of them all near 0."""


class Distortion(msgspec.Struct, frozen=True, kw_only=True):
    """One encode of a reference, at ``size`` pixels."""

    spec: EncoderSpec
    preset: str | None
    crf: float
    size: tuple[int, int]

    @property
    def label(self) -> str:
        """Quality label of its name, which holds no ``_``."""
        return f"{self.spec.name.replace('_', '-')}-{number(self.crf)}"


def distortions(
    clip: str,
    size: tuple[int, int],
    encoders: Sequence[tuple[EncoderSpec, str | None]],
    heights: Sequence[Fraction | int | None],
    crfs: int,
) -> Iterator[Distortion]:
    """The distortions of a clip; always the same ones.

    The quality range of each encoder is cut into as many parts as there are CRFs, and one CRF is drawn from each part by the
    clip's name: together, the clips cover the range closely, each alone evenly.

    Args:
        size: of the reference in pixels.
        encoders: with their presets.
        heights: pixels of the short side, or its share of the reference's; None leaves the size as it is. Those that are not
            below the reference's own are left out.
        crfs: at each encoder at the reference's size; at a lower height it is a third of them.
    """
    for height in heights:
        short = int(min(size) * height) if isinstance(height, Fraction) else height
        scaled = size if short is None else scaled_size(*size, short)
        if scaled is None or min(scaled) < _LEAST_HEIGHT:
            continue
        for spec, preset in encoders:
            count, (begin, end) = (crfs, (0.0, 1.0)) if short is None else (max(1, crfs // 3), _SCALED)
            for place in range(count):
                drawn = _drawn(f"{clip}/{spec.name}/{number(float(height or 1))}/{place}")
                share = begin + (end - begin) * (place + drawn) / count
                yield Distortion(spec=spec, preset=preset, crf=_crf(spec, share), size=scaled)


def _crf(spec: EncoderSpec, share: float) -> float:
    """The CRF at ``share`` of the range from half-way beyond the best that is searched for to the worst there is."""
    ends = zip(spec.search_range, spec.quality_range, strict=True)
    (low_searched, low), (high_searched, high) = ends
    if spec.higher_is_better:
        best, worst = (high_searched + high) / 2, low
    else:
        best, worst = (low_searched + low) / 2, high
    crf = best + share * (worst - best)
    return round(low + round((crf - low) / spec.step) * spec.step, 4)


def _drawn(text: str) -> float:
    """A number from 0 to 1 that only ``text`` decides."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32


def parse_heights(texts: Sequence[str]) -> tuple[Fraction | int | None, ...]:
    """Heights as a user writes them: ``native``, a share such as ``1/2``, or pixels of the short side.

    Raises:
        UserError: one is none of these.
    """
    heights: list[Fraction | int | None] = []
    for text in texts:
        share = _share(text)
        if text == _NATIVE:
            heights.append(None)
        elif share is not None and 0 < share < 1:
            heights.append(share)
        elif text.isdecimal() and int(text) >= _LEAST_HEIGHT:
            heights.append(int(text))
        else:
            raise UserError(
                f"--heights: {text!r} is neither {_NATIVE}, a share such as 1/2, nor a number of pixels from {_LEAST_HEIGHT} on"
            )
    return tuple(dict.fromkeys(heights))


def _share(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None

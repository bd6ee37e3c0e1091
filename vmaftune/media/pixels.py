"""What a pixel format holds, from its name: bits, colour, alpha."""

from __future__ import annotations

import av
import msgspec

_SUBSAMPLING = {1.0: "4:4:4", 0.5: "4:2:2", 0.25: "4:2:0"}


class Pixels(msgspec.Struct, frozen=True, kw_only=True):
    """A pixel format.

    Attributes:
        name: ffmpeg's.
        bits: per component.
        colour: colour samples for each sample of luma: 1 for 4:4:4 and RGB, 0.5 for 4:2:2, 0.25 for 4:2:0, 0 for grey.
        alpha: it has an alpha channel.
        rgb: it is red, green and blue, or a palette of them.
        full_range: it is one of those that ffmpeg names yuvj.
    """

    name: str
    bits: int
    colour: float
    alpha: bool
    rgb: bool
    full_range: bool

    @property
    def subsampling(self) -> str:
        """How much colour there is, as people write it."""
        return "RGB" if self.rgb else _SUBSAMPLING.get(self.colour, self.name)


def pixels(name: str) -> Pixels:
    """The format that ffmpeg calls ``name``."""
    known = av.VideoFormat(name)
    rgb, alpha = known.is_rgb or known.has_palette, any(part.is_alpha for part in known.components)
    has_colour = rgb or len(known.components) - alpha > 1
    return Pixels(
        name=name,
        bits=max(part.bits for part in known.components),
        colour=known.chroma_width(16) * known.chroma_height(16) / 256 if has_colour else 0.0,
        alpha=alpha,
        rgb=rgb,
        full_range=name.startswith("yuvj"),
    )

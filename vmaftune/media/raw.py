"""Raw video: bytes that mean nothing until somebody says how large the pictures are."""

from __future__ import annotations

from typing import Any

import av
import msgspec

from vmaftune.errors import UserError

PIX_FMT = "yuv420p"


class Geometry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size in pixels and ffmpeg's name of the pixel format of a raw video."""

    width: int
    height: int
    pix_fmt: str = PIX_FMT

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.pix_fmt}"

    @property
    def frame_bytes(self) -> int:
        """Bytes of a picture.

        Raises:
            UserError: there is no such pixel format.
        """
        return sum(part.width * part.height * (2 if part.bits > 8 else 1) for part in self._layout.components)

    @property
    def bit_depth(self) -> int:
        """Bits of a component. Raises as frame_bytes."""
        return max(part.bits for part in self._layout.components)

    @property
    def options(self) -> dict[str, Any]:
        """ffmpeg's options of such an input. Frames are paired by index, so that any rate will do."""
        size = (self.width, self.height)
        return {"f": "rawvideo", "pixel_format": self.pix_fmt, "video_size": size, "framerate": 25}

    @property
    def _layout(self) -> av.VideoFormat:
        try:
            return av.VideoFormat(self.pix_fmt, self.width, self.height)
        except ValueError as error:
            raise UserError(f"--pix-fmt {self.pix_fmt}: no such pixel format") from error


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of ``WxH``.

    Raises:
        UserError: it is no size.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise UserError(f"--size {text!r} must be WIDTHxHEIGHT, such as 1920x1080")
    return int(width), int(height)

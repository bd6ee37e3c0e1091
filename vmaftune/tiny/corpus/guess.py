"""The geometry of a raw video that nobody has told: from its name, its bytes and the files beside it, or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.tiny.corpus.raw import PIX_FMT, Geometry

SIZES = (
    *(
        (176, 144),
        (320, 180),
        (352, 288),
        (384, 288),
        (416, 240),
        (426, 240),
        (480, 270),
        (512, 384),
        (576, 324),
        (640, 360),
    ),
    *(
        (640, 480),
        (704, 576),
        (720, 480),
        (720, 576),
        (768, 432),
        (832, 480),
        (854, 480),
        (960, 540),
        (1024, 576),
        (1024, 768),
    ),
    *(
        (1280, 720),
        (1440, 1080),
        (1920, 800),
        (1920, 1080),
        (2048, 858),
        (2048, 1080),
        (2560, 1440),
        (3840, 2160),
        (4096, 2160),
    ),
)
"""Sizes that test sequences come in, in pixels."""

_SIZE = re.compile(r"(?:^|[_\-. ])(\d{2,5})x(\d{2,5})(?=$|[_\-. ])")
_FORMAT = re.compile(r"(?:^|[_\-. ])(yuv4(?:20|22|44)p(?:(?:10|12)le)?)(?=$|[_\-. ])")
_LEAST_FRAMES = 2


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the user says of the raw files of a corpus: ``--size`` of its references in pixels, and ``--pix-fmt``."""

    size: tuple[int, int] | None = None
    pix_fmt: str | None = None


def guess_reference(path: Path, file_bytes: int, told: Told, heights: Sequence[int]) -> Geometry:
    """The geometry of a raw reference: as told, as its name says, or the one known size that fits.

    A size fits when the file is a whole number of its pictures and none of the distorted files was encoded higher.

    Args:
        heights: in the names of its distorted files, pixels.

    Raises:
        UserError: no size fits, or several do.
    """
    pix_fmt = told.pix_fmt or _named_format(path) or PIX_FMT
    size = told.size or _named_size(path)
    if size is not None:
        return Geometry(*size, pix_fmt)
    known = (Geometry(*size, pix_fmt) for size in SIZES if size[1] >= max(heights, default=0))
    fitting = [
        each for each in known if file_bytes % each.frame_bytes == 0 and file_bytes >= _LEAST_FRAMES * each.frame_bytes
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        sizes = ", ".join(f"{each.width}x{each.height}" for each in fitting[:4])
        raise UserError(
            f"{shown(path)} may be of {sizes}{' or others' if len(fitting) > 4 else ''}; say which with --size WxH"
        )
    raise UserError(
        f"{shown(path)}: {file_bytes} bytes are no whole number of {pix_fmt} pictures of any known size; it may be cut short; "
        "if not, give --size WxH and --pix-fmt"
    )


def guess_distorted(path: Path, file_bytes: int, told: Told, height: int, reference: Geometry, frames: int) -> Geometry:
    """The geometry of a raw distorted file: the one that gives it as many frames as its reference.

    It is stored at its reference's size, as in Netflix's corpus, or at that which its name says or is encoded at.

    Args:
        height: in its name, pixels.
        reference, frames: of its reference.

    Raises:
        UserError: none gives as many.
    """
    pix_fmt = told.pix_fmt or _named_format(path) or reference.pix_fmt
    width = reference.width * height / reference.height
    nearest = 2 * round(width / 2)
    sizes = [(reference.width, reference.height), _named_size(path), *((nearest + d, height) for d in (0, 2, -2))]
    candidates = [Geometry(*size, pix_fmt) for size in sizes if size is not None and min(size) > 0]
    for each in candidates:
        if each.frame_bytes * frames == file_bytes:
            return each
    at_reference = candidates[0].frame_bytes
    if file_bytes % at_reference == 0:
        held = f"{file_bytes // at_reference} frames of {candidates[0]}"
    else:
        held = f"{file_bytes} bytes, no whole number of frames of {candidates[0]}"
    raise UserError(
        f"{shown(path)} holds {held}, but its reference has {frames} frames; it is cut short, or of a geometry that "
        "manifest.json must say"
    )


def _named_size(path: Path) -> tuple[int, int] | None:
    found = _SIZE.search(path.stem)
    return (int(found[1]), int(found[2])) if found else None


def _named_format(path: Path) -> str | None:
    found = _FORMAT.search(path.stem)
    return found[1] if found else None

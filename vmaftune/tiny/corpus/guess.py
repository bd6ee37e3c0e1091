"""The geometry of a raw video that nobody has told: from its name, its bytes and the files beside it, or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.media.raw import PIX_FMT, Geometry, parse_size

_KNOWN = (
    "176x144 320x180 352x288 384x288 416x240 426x240 480x270 512x384 576x324 640x360 640x480 704x576 720x480 720x576 768x432 "
    "832x480 854x480 960x540 1024x576 1024x768 1280x720 1920x800 1920x1080 2048x858 2048x1080 2560x1440 3840x2160 4096x2160"
)
SIZES = tuple(parse_size(text) for text in _KNOWN.split())
"""Sizes that test sequences come in, in pixels."""

_SIZE = re.compile(r"(?:^|[_\-. ])(\d{2,5})x(\d{2,5})(?=$|[_\-. ])")
_FORMAT = re.compile(r"(?:^|[_\-. ])(yuv4(?:20|22|44)p(?:(?:10|12)le)?)(?=$|[_\-. ])")
_LEAST_FRAMES = 2


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the user says of the raw files of a corpus: ``--size`` of its references in pixels, and ``--pix-fmt``."""

    size: tuple[int, int] | None = None
    pix_fmt: str | None = None


def guess_references(
    files: Mapping[Path, int], told: Told, heights: Mapping[Path, Sequence[int]]
) -> dict[Path, Geometry]:
    """The geometry of raw references: as told, as a name says, or the one known size that fits.

    A size fits when the file is a whole number of its pictures and none of the distorted files was encoded higher. Where
    several fit, it is the one that fits all files: a corpus is mostly of one size.

    Args:
        files: bytes of each.
        heights: in the names of their distorted files, pixels.

    Raises:
        UserError: no size fits, or several do.
    """
    fitting = {path: _fitting(path, file_bytes, told, heights[path]) for path, file_bytes in files.items()}
    common = [each for each in next(iter(fitting.values()), ()) if all(each in others for others in fitting.values())]
    guessed: dict[Path, Geometry] = {}
    for path, geometries in fitting.items():
        one = geometries if len(geometries) == 1 else common
        if len(one) != 1:
            sizes = ", ".join(f"{each.width}x{each.height}" for each in geometries[:4])
            others = " or others" if len(geometries) > 4 else ""
            raise UserError(f"{shown(path)} may be of {sizes}{others}; say which with --size WxH")
        guessed[path] = one[0]
    return guessed


def _fitting(path: Path, file_bytes: int, told: Told, heights: Sequence[int]) -> list[Geometry]:
    pix_fmt = told.pix_fmt or _named_format(path) or PIX_FMT
    size = told.size or _named_size(path)
    if size is not None:
        return [Geometry(*size, pix_fmt)]
    known = (Geometry(*size, pix_fmt) for size in SIZES if size[1] >= max(heights, default=0))
    fitting = [
        each for each in known if file_bytes % each.frame_bytes == 0 and file_bytes >= _LEAST_FRAMES * each.frame_bytes
    ]
    if not fitting:
        raise UserError(
            f"{shown(path)}: {file_bytes} bytes are no whole number of {pix_fmt} pictures of any known size; it may be cut "
            "short; if not, give --size WxH and --pix-fmt"
        )
    return fitting


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

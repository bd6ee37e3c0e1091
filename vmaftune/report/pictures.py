"""Pictures of single frames, reference beside encode: found by index, never by time, with the counts of both videos checked."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, LIST_FRAMES, PASS_THROUGH, Output, chained, command, read, split
from vmaftune.ffmpeg.listing import count_frames
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.opened import open_media
from vmaftune.quality.compare import check_pairing

_WHOLE_WIDTH = 560
_DETAIL = (360, 204)  # of the part that is shown pixel by pixel
_DETAIL_FROM = 1.4  # times the width of the whole picture's thumbnail; a smaller video is seen well enough
_STEP = 12
_QUALITIES = (3, 5, 8, 12, 18, 28)  # of JPEG, best first, as ffmpeg counts them

Image = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Video:
    """A video that frames are taken of.

    Attributes:
        path, stream_index: where it is.
        chain: filters that its frames go through before they are counted; the encode's own, for a reference.
    """

    path: Path
    stream_index: int
    chain: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One frame, as JPEG in data URIs.

    Attributes:
        reference, encode: the whole picture.
        reference_detail, encode_detail: the part in which they differ most, pixel by pixel; None for a small video.
        size: pixels (width, height) of the whole pictures as they are embedded.
        detail_size: of the details.
        detail_at: where the detail is, as shares of width and height: left, top, width, height.
    """

    reference: str
    encode: str
    size: tuple[int, int]
    reference_detail: str | None = None
    encode_detail: str | None = None
    detail_size: tuple[int, int] = (0, 0)
    detail_at: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


def take_frames(
    ffmpeg: Ffmpeg, reference: Video, encode: Video, indices: Sequence[int], frames: int, folder: Path
) -> dict[int, tuple[Image, Image]]:
    """Frames of both videos by index, as RGB, shape (height, width, 3).

    Args:
        frames: how many each of them must have.

    Raises:
        PairingError: one has another number of frames.
        FfmpegError: one cannot be decoded.
    """
    rising = sorted(set(indices))
    of_reference = _taken(ffmpeg, reference, rising, frames, folder / "reference.nut")
    of_encode = _taken(ffmpeg, encode, rising, frames, folder / "encode.nut")
    return dict(zip(rising, zip(of_reference, of_encode, strict=True), strict=True))


def _taken(ffmpeg: Ffmpeg, video: Video, indices: Sequence[int], frames: int, output: Path) -> Iterator[Image]:
    """Written out before this returns; decoded as it is iterated over."""
    every, some = split(chained(read(video.path, KEEP_FILTERS)[str(video.stream_index)], video.chain))
    taken = some.filter("select", expr="+".join(f"eq(n,{index})" for index in indices))
    # Shown as they are meant to be: pixels that are not square would look squeezed.
    taken = taken.filter("scale", w="max(2,trunc(iw*sar/2)*2)", h="max(2,trunc(ih/2)*2)", flags="bicubic")
    taken = taken.filter("setsar", sar=1).filter("format", pix_fmts="gbrp")
    counts = output.with_suffix(".txt")
    arguments = command(
        Output([taken], output, PASS_THROUGH | {"c:v": "ffv1", "f": "nut"}),
        Output([every], counts, PASS_THROUGH | LIST_FRAMES),
    )
    process.run(ffmpeg.path, arguments)
    check_pairing(count_frames(counts), frames, "pictures of the report")
    return _images(output)


def _images(file: Path) -> Iterator[Image]:
    with open_media(file) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def as_pairs(images: Mapping[int, tuple[Image, Image]], budget_bytes: int) -> dict[int, Pair]:
    """The frames as JPEG, in the best quality of which all together take at most ``budget_bytes``, if any does."""
    pieces = {index: _pieces(*both) for index, both in images.items()}
    for quality in _QUALITIES:
        encoded = {
            index: {name: _jpeg(image, quality) for name, image in of.images.items()} for index, of in pieces.items()
        }
        if sum(len(jpeg) for jpegs in encoded.values() for jpeg in jpegs.values()) <= budget_bytes:
            break
    return {index: _pair(encoded[index], of.places) for index, of in pieces.items()}


def _pair(jpegs: Mapping[str, bytes], places: Mapping[str, Any]) -> Pair:
    uris: dict[str, Any] = {name: f"data:image/jpeg;base64,{base64.b64encode(j).decode()}" for name, j in jpegs.items()}
    return Pair(**uris, **places)


@dataclass(frozen=True, kw_only=True)
class _Pieces:
    images: dict[str, Image]
    places: dict[str, Any]


def _pieces(reference: Image, encode: Image) -> _Pieces:
    height, width = reference.shape[:2]
    small = min(_WHOLE_WIDTH, width)
    size = small - small % 2, max(2, round(height * small / width / 2) * 2)
    images = {"reference": _scaled(reference, size), "encode": _scaled(encode, size)}
    if width < _DETAIL_FROM * _WHOLE_WIDTH or height < _DETAIL[1]:
        return _Pieces(images=images, places={"size": size})
    left, top = most_different(reference, encode, _DETAIL)
    part = np.s_[top : top + _DETAIL[1], left : left + _DETAIL[0]]
    images |= {"reference_detail": reference[part], "encode_detail": encode[part]}
    at = left / width, top / height, _DETAIL[0] / width, _DETAIL[1] / height
    return _Pieces(images=images, places={"size": size, "detail_size": _DETAIL, "detail_at": at})


def most_different(one: Image, other: Image, size: tuple[int, int]) -> tuple[int, int]:
    """Left and top of the part of ``size`` (width, height) in which the squared difference of two images is largest."""
    squares = np.square(one.astype(np.int32) - other).sum(axis=2, dtype=np.int64)
    sums = np.pad(squares.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    width, height = size
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    coarse = inside[::_STEP, ::_STEP]
    top, left = np.unravel_index(int(coarse.argmax()), coarse.shape)
    return int(left) * _STEP, int(top) * _STEP


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return frame.reformat(*size, interpolation="AREA").to_ndarray()


def _jpeg(image: Image, quality: int) -> bytes:
    height, width = image.shape[:2]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    frame = frame.reformat(format="yuvj420p", dst_colorspace="ITU601", dst_color_range="JPEG")
    codec: Any = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuvj420p", Fraction(1, 25)
    codec.options = {"qmin": str(quality), "qmax": str(quality)}
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])

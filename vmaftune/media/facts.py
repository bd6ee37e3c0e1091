"""Media facts of a source, read with PyAV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from vmaftune.errors import UserError
from vmaftune.media.opened import open_media
from vmaftune.media.pixels import pixels

ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC
DYNAMIC_HDR = {"DOVI_METADATA": "Dolby Vision", "DYNAMIC_HDR_PLUS": "HDR10+"}
"""ffmpeg's names of HDR data that changes from picture to picture, and those on a box."""


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of the video stream that is encoded.

    Attributes:
        stream_index: index of the stream within the file; cover pictures are passed over.
        width, height: pixels as decoded and shown (rotation applied).
        fps: mean frame rate in frames per second.
        duration_seconds: of the video stream, or of the file where the stream does not say.
        pix_fmt: ffmpeg's name of the pixel format.
        bit_depth: bits per component.
        codec: ffmpeg's name of the codec (``av1``), whatever decoder reads it (``libdav1d``).
        file_bytes: size of the file.
        declared_frames: frames the container declares, 0 when it does not say.
        interlaced: its first picture is of two fields.
        alpha: its pictures have an alpha channel, whether or not ffmpeg's own decoder reads it (it reads none of VP8 and VP9).
        dynamic_hdr: ffmpeg's names of the data that comes with each picture: ``DOVI_METADATA``, ``DYNAMIC_HDR_PLUS``.
    """

    stream_index: int
    width: int
    height: int
    fps: float
    duration_seconds: float
    pix_fmt: str
    bit_depth: int
    codec: str
    file_bytes: int
    declared_frames: int
    interlaced: bool = False
    alpha: bool = False
    dynamic_hdr: tuple[str, ...] = ()


def read_facts(path: Path) -> MediaFacts:
    """Read the facts of the first real video stream of ``path``.

    Raises:
        UserError: no such file, no media file, or no video in it.
    """
    check_is_file(path)
    try:
        with open_media(path) as container:
            return _facts(path, container)
    except av.error.FFmpegError as error:
        raise UserError(f"{shown(path)} cannot be read as a video: {error.strerror}") from error


def _facts(path: Path, container: av.container.InputContainer) -> MediaFacts:
    real = [s for s in container.streams.video if not int(s.disposition) & ATTACHED_PICTURE]
    if not real:
        held = ", ".join(sorted({s.type for s in container.streams})) or "no stream"
        raise UserError(f"{shown(path)} has no video in it (it holds: {held})")
    stream = real[0]
    context = stream.codec_context
    if not context.width or not context.height or context.pix_fmt is None:
        raise UserError(f"{shown(path)} cannot be decoded: its video stream has no readable picture")
    duration = 0.0
    if stream.duration is not None and stream.time_base is not None:
        duration = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        # Matroska counts from 0, also where the video begins later.
        begin = max(0.0, (container.start_time or 0) / 1e6) if "matroska" in container.format.name else 0.0
        duration = container.duration / 1e6
        duration -= begin if begin < duration else 0.0
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    first: Any = _first_picture(container, stream)
    # ffmpeg turns pictures before anything else; by how much is known once one is decoded.
    turned = round(first.rotation / 90) % 2 == 1
    width, height = (context.height, context.width) if turned else (context.width, context.height)
    return MediaFacts(
        stream_index=stream.index,
        width=width,
        height=height,
        fps=float(rate) if rate else 25.0,
        duration_seconds=duration,
        pix_fmt=context.pix_fmt,
        bit_depth=pixels(context.pix_fmt).bits,
        codec=context.codec.canonical_name,
        file_bytes=path.stat().st_size,
        declared_frames=stream.frames,
        interlaced=bool(first.interlaced_frame),
        alpha=pixels(context.pix_fmt).alpha or stream.metadata.get("alpha_mode") == "1",
        dynamic_hdr=tuple(sorted({name for item in first.side_data if (name := _name_of(item)) in DYNAMIC_HDR})),
    )


def _name_of(item: Any) -> str:
    """ffmpeg's name of a kind of side data; a number where this PyAV has no name for it."""
    return str(getattr(item.type, "name", item.type))


def _first_picture(container: av.container.InputContainer, stream: av.VideoStream) -> av.VideoFrame:
    for frame in container.decode(stream):
        return frame
    raise UserError("the video has no frame that can be decoded")


def check_is_file(path: Path) -> None:
    """Raise UserError unless ``path`` is a file that can be read."""
    if path.is_dir():
        raise UserError(f"{shown(path)} is a directory; name a video file")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise UserError(f"{shown(path)} is empty")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot open {shown(path)}: {getattr(error, 'strerror', None) or error}") from error


def shown(path: Path | str) -> str:
    """A file name as it may stand within one line: control characters and line breaks are escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)

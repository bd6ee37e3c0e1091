"""Media facts of a source, read with PyAV."""

from __future__ import annotations

from pathlib import Path

import av
import av.error
import msgspec

from vmaftune.errors import UserError
from vmaftune.media.opened import open_media
from vmaftune.state.regular import open_regular

ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC


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
    turned = _quarter_turns(container, stream) % 2 == 1
    width, height = (context.height, context.width) if turned else (context.width, context.height)
    return MediaFacts(
        stream_index=stream.index,
        width=width,
        height=height,
        fps=float(rate) if rate else 25.0,
        duration_seconds=duration,
        pix_fmt=context.pix_fmt,
        bit_depth=max(component.bits for component in av.VideoFormat(context.pix_fmt).components),
        codec=context.codec.canonical_name,
        file_bytes=path.stat().st_size,
        declared_frames=stream.frames,
    )


def _quarter_turns(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """Quarter turns that ffmpeg applies before anything else; known once a frame is decoded."""
    for frame in container.decode(stream):
        return round(frame.rotation / 90)
    raise UserError("the video has no frame that can be decoded")


def check_is_file(path: Path) -> None:
    """Raise UserError unless ``path`` is a file that can be read."""
    if path.is_dir():
        raise UserError(f"{shown(path)} is a directory; name a video file")
    try:
        with open_regular(path) as file:
            if not file.read(1):
                raise UserError(f"{shown(path)} is empty")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot open {shown(path)}: {getattr(error, 'strerror', None) or error}") from error


def shown(path: Path | str) -> str:
    """A file name as it may stand within one line: control characters and line breaks are escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)

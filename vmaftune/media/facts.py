"""Media facts of a source, read with PyAV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from vmaftune.errors import UserError
from vmaftune.media.choice import choose_video
from vmaftune.media.extent import seconds_of
from vmaftune.media.opened import open_media
from vmaftune.media.pixels import pixels
from vmaftune.media.side_data import side_data_names
from vmaftune.state.regular import open_regular

DYNAMIC_HDR = {"DOVI_METADATA": "Dolby Vision", "DYNAMIC_HDR_PLUS": "HDR10+"}
"""ffmpeg's names of HDR data that changes from picture to picture, and those on a box."""

_HDR_TRANSFERS = (16, 18)

OF_A_SOURCE = "--video-stream"


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of the video stream that is encoded.

    Attributes:
        stream_index: index of the stream within the file.
        width, height: pixels as decoded and shown (rotation applied).
        cropped: whether the container crops what the codec decodes; width and height are then of what is left.
        fps: mean frame rate in frames per second.
        duration_seconds: of the video stream, whatever else the file holds.
        pix_fmt: ffmpeg's name of the pixel format.
        bit_depth: bits per component.
        codec: ffmpeg's name of the codec (``av1``), whatever decoder reads it (``libdav1d``).
        file_bytes: size of the file.
        declared_frames: frames the container declares, 0 when it does not say.
        notes: lines that a person should know of the source before it is used.
        interlaced: its first picture is of two fields.
        alpha: its pictures have an alpha channel, whether or not ffmpeg's own decoder reads it (it reads none of VP8 and VP9).
        hdr: their transfer is PQ or HLG (ITU-T H.273, 16 and 18), by the stream's own word.
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
    cropped: bool = False
    notes: tuple[str, ...] = ()
    interlaced: bool = False
    alpha: bool = False
    hdr: bool = False
    dynamic_hdr: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[int, ...]:
        """What of the file is used; part of the keys of everything that is kept of a source."""
        return (self.stream_index, *((self.width, self.height) if self.cropped else ()))


def read_facts(path: Path, number: int | None = None, option: str = OF_A_SOURCE) -> MediaFacts:
    """Read the facts of the video stream of ``path`` that is taken.

    The size is that of the codec's pictures; a container may crop them (vmaftune.media.decoded asks ffmpeg).

    Args:
        number: of the stream among the video streams, from 0; None takes the one that ffmpeg would.
        option: by which a person says that.

    Raises:
        UserError: no such file, no media file, no video in it that can be decoded, or the file is cut short.
    """
    check_is_file(path)
    try:
        with open_media(path) as container:
            return _facts(path, container, number, option)
    except av.error.FFmpegError as error:
        raise UserError(f"{shown(path)} cannot be read as a video: {error.strerror}") from error


def _facts(path: Path, container: av.container.InputContainer, number: int | None, option: str) -> MediaFacts:
    name = shown(path)
    chosen = choose_video(path, name, container, number, option)
    stream = container.streams[chosen.index]
    assert isinstance(stream, av.VideoStream)
    context = stream.codec_context
    if context is None:  # PyAV gives none where libavcodec knows no decoder
        raise UserError(f"{name} cannot be decoded: ffmpeg does not know the codec of its video")
    if not context.width or not context.height or context.pix_fmt is None:
        raise UserError(f"{name} cannot be decoded: its video stream has no readable picture")
    seconds = seconds_of(path, name, container, stream)
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
        duration_seconds=seconds,
        pix_fmt=context.pix_fmt,
        bit_depth=pixels(context.pix_fmt).bits,
        codec=context.codec.canonical_name,
        file_bytes=path.stat().st_size,
        declared_frames=_declared(container, stream),
        notes=(chosen.note,) if chosen.note else (),
        interlaced=bool(first.interlaced_frame),
        alpha=pixels(context.pix_fmt).alpha or stream.metadata.get("alpha_mode") == "1",
        hdr=context.color_trc in _HDR_TRANSFERS,
        dynamic_hdr=tuple(sorted(side_data_names(first) & DYNAMIC_HDR.keys())),
    )


def _declared(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """Frames that the container declares; AVI counts places that hold none too, but its index knows which."""
    return len(stream.index_entries) if container.format.name == "avi" else stream.frames


def _first_picture(container: av.container.InputContainer, stream: av.VideoStream) -> av.VideoFrame:
    for frame in container.decode(stream):
        return frame
    raise UserError("the video has no frame that can be decoded")


def check_is_file(path: Path) -> None:
    """Raise UserError unless ``path`` is a file that can be read."""
    try:
        if path.is_dir():  # raises where a folder on the way may not be read
            raise UserError(f"{shown(path)} is a directory; name a video file")
        with open_regular(path) as file:
            if not file.read(1):
                raise UserError(f"{shown(path)} is empty")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot open {shown(path)}: {getattr(error, 'strerror', None) or error}") from error


def shown(path: Path | str) -> str:
    """A file name as it may stand within one line: control characters and line breaks are escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)

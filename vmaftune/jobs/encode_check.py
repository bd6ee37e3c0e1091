"""Looking at a finished encode: its frames and times beside the source's, its sizes, its true VMAF."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vmaftune.encoders.spec import EncoderSettings
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import process, vmaf
from vmaftune.ffmpeg.encode import KEEP_FILTERS, PASS_THROUGH, TIMES
from vmaftune.ffmpeg.escape import file_url
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.vmaf import Comparison
from vmaftune.media.facts import shown
from vmaftune.media.opened import open_media
from vmaftune.types import FloatArray

_SECONDS_ROUNDED = 0.0025
"""How far a frame's time may be off: Matroska's milliseconds, those of the source, and what TIMES evens out."""

_MADE_BY_A_MUXER = {"encoder", "creation_time", "major_brand", "minor_version", "compatible_brands"}
_OF_PICTURES = {
    *("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "AMBIENT_VIEWING_ENVIRONMENT"),
    *("DYNAMIC_HDR_PLUS", "DYNAMIC_HDR_VIVID", "DOVI_METADATA", "A53_CC", "STEREO3D", "SPHERICAL"),
}

_LIST = ("-c:v", "wrapped_avframe", "-f", "framecrc")


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A source and its encode.

    Attributes:
        source, stream_index: the video that was encoded.
        encode: the result; its video is the first.
        settings: of the encode, with all pictures brought to one size.
    """

    source: Path
    stream_index: int
    encode: Path
    settings: EncoderSettings

    @property
    def inputs(self) -> list[str]:
        """ffmpeg's input arguments: the source is input 0, the encode 1."""
        return [*KEEP_FILTERS, "-i", file_url(self.source), "-i", file_url(self.encode)]


def check_frames(ffmpeg: Ffmpeg, pair: Pair, folder: Path, on_progress: Callable[[int], None]) -> int:
    """Decode both to their ends and compare the frames' number and times; the number.

    Raises:
        VmafTuneError: they differ.
        FfmpegError: one of them cannot be decoded.
    """
    lists = folder / "source.txt", folder / "encode.txt"
    chain = ",".join(part for part in (pair.settings.video_filter, TIMES) if part)
    arguments = [
        *pair.inputs,
        *("-map", f"0:{pair.stream_index}", "-vf", chain, *PASS_THROUGH, "-enc_time_base", "filter", *_LIST),
        file_url(lists[0]),
        *("-map", "1:v:0", *PASS_THROUGH, "-enc_time_base", "demux", *_LIST, file_url(lists[1])),
    ]
    process.run(ffmpeg.path, arguments, on_progress=on_progress)
    source, encode = (_times(file) for file in lists)
    if len(source) != len(encode):
        raise VmafTuneError(
            f"the encode of {shown(pair.source)} has {len(encode)} frames and the source has {len(source)}; it was removed"
        )
    off = encode - source
    off = np.abs(off - np.median(off))
    if len(off) and off.max() > _SECONDS_ROUNDED:
        raise VmafTuneError(
            f"frame {int(off.argmax())} of the encode of {shown(pair.source)} is shown {off.max():.3f} s off; it was removed"
        )
    return len(encode)


def score_whole(
    ffmpeg: Ffmpeg,
    pair: Pair,
    comparison: Comparison,
    *,
    threads: int,
    folder: Path,
    on_progress: Callable[[int], None],
) -> FloatArray:
    """VMAF of every frame of an encode, shape (frames,), compared as its probes were.

    Raises:
        FfmpegError: libvmaf or a decoder failed.
    """
    log, read = folder / "vmaf.json", folder / "read.txt"
    with vmaf.plainly_named(comparison, folder) as named:
        graph = vmaf.graph(
            "1:v:0",
            f"0:{pair.stream_index}",
            named,
            reference_filter=pair.settings.video_filter,
            threads=threads,
            log=log,
        )
        output = ["-filter_complex", graph, "-map", "[scored]", *PASS_THROUGH, *_LIST, file_url(read)]
        process.run(ffmpeg.path, [*pair.inputs, *output], on_progress=on_progress)
    return np.array([frame["vmaf"] for frame in vmaf.read_log(log)])


def video_packets(file: Path, stream_index: int) -> tuple[int, int]:
    """Number and bytes of a stream's packets."""
    with open_media(file) as container:
        sizes = [packet.size for packet in container.demux(container.streams[stream_index]) if packet.size]
    return len(sizes), sum(sizes)


def lost(source: Path, stream_index: int, encode: Path) -> list[str]:
    """A line for what an encode has no more of its source: tags of the file, and data of the first picture."""
    (tags, data), (kept_tags, kept_data) = _carried(source, stream_index), _carried(encode, 0)
    lines = []
    if gone := sorted(tags - kept_tags - _MADE_BY_A_MUXER):
        lines.append(
            f"{encode.suffix or 'this container'} has no place for the tags {', '.join(gone)}; .mkv keeps them"
        )
    if gone := sorted(data - kept_data):
        lines.append(f"the encoder left out the pictures' {', '.join(gone)}")
    return lines


def _carried(file: Path, stream_index: int) -> tuple[set[str], set[str]]:
    with open_media(file) as container:
        frame: Any = next(container.decode(container.streams[stream_index]), None)
        data = set() if frame is None else {item.type.name for item in frame.side_data}
        return {key.lower() for key in container.metadata}, data & _OF_PICTURES


def _times(listing: Path) -> FloatArray:
    """Seconds at which frames are shown, from a framecrc listing: stream, dts, pts, duration, size, checksum."""
    lines = listing.read_text("ascii").splitlines()
    found = next((m for m in map(re.compile(r"#tb 0: (\d+)/(\d+)").match, lines) if m), None)
    if found is None:
        raise VmafTuneError(f"{listing.name} in {listing.parent} is not whole; is the disk full?")
    ticks = [int(line.split(",")[2]) for line in lines if not line.startswith("#")]
    return np.sort(np.array(ticks, dtype=float)) * int(found[1]) / int(found[2])

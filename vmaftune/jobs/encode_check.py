"""Looking at a finished encode: its frames and times beside the source's, its sizes, its true VMAF."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.encoders.spec import EncoderSettings
from vmaftune.errors import VmafTuneError
from vmaftune.escape import file_url
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.encode import KEEP_FILTERS, PASS_THROUGH, TIMES
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.encode_streams import Mapped
from vmaftune.media.facts import shown
from vmaftune.media.opened import open_media
from vmaftune.quality.compare import graph
from vmaftune.quality.metric import Comparison

_SECONDS_ROUNDED = 0.0025
"""How far a frame's time may be off: Matroska's milliseconds, those of the source, and what TIMES evens out."""

_SECONDS_OF_AN_ENCODER = 0.06
"""How far sound that was encoded again may begin off: an encoder's frame, its delay, and what a decoder leaves out of both."""

_EMPTY = 2
"""Bytes of a packet of text that .mp4 puts where nothing is shown."""

_LIST = ("-c:v", "wrapped_avframe", "-f", "framecrc")


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A source and its encode.

    Attributes:
        source, stream_index: the video that was encoded.
        encode: the result; its video is the first.
        settings: of the encode, with all pictures brought to one size.
        streams: those of the encode in its order, the video first; empty where it has no others.
    """

    source: Path
    stream_index: int
    encode: Path
    settings: EncoderSettings
    streams: tuple[Mapped, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """ffmpeg's input arguments: the source is input 0, the encode 1."""
        return [*KEEP_FILTERS, "-i", file_url(self.source), "-i", file_url(self.encode)]


def check_frames(ffmpeg: Ffmpeg, pair: Pair, folder: Path, on_progress: Callable[[int], None]) -> int:
    """Decode both to their ends and compare the frames' number and times, and when every other stream begins; the number.

    What a source shows first is a matter of the container (a transport stream begins at 1.4 s, an encode of it at 0), so times
    are compared after the offset of the pictures, which has to be that of all streams.

    Raises:
        VmafTuneError: they differ.
        FfmpegError: one of them cannot be decoded.
    """
    lists = folder / "source.txt", folder / "encode.txt"
    chain = ",".join(part for part in (pair.settings.video_filter, TIMES) if part)
    others = [_Other(place, stream, folder) for place, stream in enumerate(pair.streams) if _has_times(place, stream)]
    arguments = [
        *pair.inputs,
        *("-map", f"0:{pair.stream_index}", "-vf", chain, *PASS_THROUGH, "-enc_time_base", "filter", *_LIST),
        file_url(lists[0]),
        *("-map", "1:v:0", *PASS_THROUGH, "-enc_time_base", "demux", *_LIST, file_url(lists[1])),
        *(argument for other in others for argument in other.arguments),
    ]
    process.run(ffmpeg.path, arguments, on_progress=on_progress)
    source, encode = (_times(file) for file in lists)
    if len(source) != len(encode):
        raise VmafTuneError(
            f"the encode of {shown(pair.source)} has {len(encode)} frames and the source has {len(source)}; it was removed"
        )
    off = encode - source
    shift = float(np.median(off)) if len(off) else 0.0
    off = np.abs(off - shift)
    if len(off) and off.max() > _SECONDS_ROUNDED:
        raise VmafTuneError(
            f"frame {int(off.argmax())} of the encode of {shown(pair.source)} is shown {off.max():.3f} s off; it was removed"
        )
    for other in others:
        if (apart := other.seconds_off(shift)) is not None:
            raise VmafTuneError(
                f"the {other.stream.kind} (stream {other.stream.index}) begins {apart:+.3f} s off from the pictures in the"
                f" encode of {shown(pair.source)}; it was removed"
            )
    return len(encode)


def _has_times(place: int, stream: Mapped) -> bool:
    """Whether a stream's beginning can be compared: what text is converted to may leave out the first."""
    return place > 0 and (stream.kind == "audio" or (stream.copied and stream.kind in ("video", "subtitle", "data")))


class _Other:
    """The beginning of a stream besides the encoded one, in the source and in the encode.

    Args:
        place: in the encode.
    """

    def __init__(self, place: int, stream: Mapped, folder: Path) -> None:
        self.stream = stream
        self._ends = [
            (f"0:{stream.index}", folder / f"begin-{place}"),
            (f"1:{place}", folder / f"begin-{place}.encode"),
        ]

    @property
    def arguments(self) -> list[str]:
        """Output options that list it; of what may be long the first packet."""
        listed = ["-c", "copy"] if self.stream.copied else ["-c", "pcm_s16le"]
        listed += [] if self.stream.kind == "subtitle" else ["-frames", "1"]
        return [part for name, file in self._ends for part in ("-map", name, *listed, "-f", "framecrc", file_url(file))]

    def seconds_off(self, shift: float) -> float | None:
        """By how much it begins too late, where that is more than rounding; None where it does not, or has no beginning.

        Args:
            shift: by how much the pictures of the encode begin later than those of the source.
        """
        source, encode = (_times(file, _EMPTY) for _, file in self._ends)
        if not len(source) or not len(encode):
            return None
        off = float(encode[0] - source[0]) - shift
        return off if abs(off) > (_SECONDS_ROUNDED if self.stream.copied else _SECONDS_OF_AN_ENCODER) else None


def score_whole(
    ffmpeg: Ffmpeg,
    pair: Pair,
    comparison: Comparison,
    *,
    threads: int,
    folder: Path,
    on_progress: Callable[[int], None],
) -> FloatArray:
    """Scores of every frame of an encode, as Metric.scores gives them, compared as its probes were.

    Raises:
        FfmpegError: the metric or a decoder failed.
    """
    log, read, metric = folder / "scores.log", folder / "read.txt", comparison.metric
    with metric.at_hand(comparison, folder) as named:
        compared = graph(
            "1:v:0",
            f"0:{pair.stream_index}",
            named,
            reference_filter=pair.settings.video_filter,
            threads=threads,
            log=log,
        )
        output = ["-filter_complex", compared, "-map", "[scored]", *PASS_THROUGH, *_LIST, file_url(read)]
        process.run(ffmpeg.path, [*pair.inputs, *output], on_progress=on_progress)
    return metric.scores(metric.read_log(log))


def video_packets(file: Path, stream_index: int) -> tuple[int, int]:
    """Number and bytes of a stream's packets."""
    with open_media(file) as container:
        sizes = [packet.size for packet in container.demux(container.streams[stream_index]) if packet.size]
    return len(sizes), sum(sizes)


def _times(listing: Path, empty: int = 0) -> FloatArray:
    """Seconds at which frames are shown, from a framecrc listing: stream, dts, pts, duration, size, checksum.

    Args:
        empty: packets of at most so many bytes do not count.
    """
    lines = listing.read_text("ascii").splitlines()
    found = next((m for m in map(re.compile(r"#tb 0: (\d+)/(\d+)").match, lines) if m), None)
    if found is None:
        raise VmafTuneError(f"{listing.name} in {listing.parent} is not whole; is the disk full?")
    fields = [line.split(",") for line in lines if not line.startswith("#")]
    ticks = [int(field[2]) for field in fields if int(field[4]) > empty]
    return np.sort(np.array(ticks, dtype=float)) * int(found[1]) / int(found[2])

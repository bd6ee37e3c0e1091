"""Looking at a finished encode: its frames and times beside the source's, its sizes, its true score."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.encoders.spec import EncoderSettings
from vmaftune.encoding.arguments import TIMES
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, LIST_FRAMES, LIST_PACKETS, PASS_THROUGH, Output, Stream, command, read
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
    def inputs(self) -> tuple[Stream, Stream]:
        """The source is input 0, the encode 1."""
        return read(self.source, KEEP_FILTERS), read(self.encode)


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
    source, encode = pair.inputs
    listed = PASS_THROUGH | LIST_FRAMES
    arguments = command(
        Output([source[str(pair.stream_index)]], lists[0], {"vf": chain, "enc_time_base": "filter"} | listed),
        Output([encode["v:0"]], lists[1], {"enc_time_base": "demux"} | listed),
        *(output for other in others for output in other.outputs(source, encode)),
    )
    process.run(ffmpeg.path, arguments, on_progress=on_progress)
    shown_at, encode_at = (_times(file) for file in lists)
    if len(shown_at) != len(encode_at):
        raise VmafTuneError(
            f"the encode of {shown(pair.source)} has {len(encode_at)} frames and the source has {len(shown_at)}; it was removed"
        )
    off = encode_at - shown_at
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
    return len(encode_at)


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
        self._selected = str(stream.index), str(place)
        self._lists = folder / f"begin-{place}", folder / f"begin-{place}.encode"

    def outputs(self, *inputs: Stream) -> list[Output]:
        """List it in the source and in the encode; of what may be long the first packet."""
        options = {"c": "copy" if self.stream.copied else "pcm_s16le"} | LIST_PACKETS
        options |= {} if self.stream.kind == "subtitle" else {"frames": "1"}
        ends = zip(inputs, self._selected, self._lists, strict=True)
        return [Output([opened[selected]], file, options) for opened, selected, file in ends]

    def seconds_off(self, shift: float) -> float | None:
        """By how much it begins too late, where that is more than rounding; None where it does not, or has no beginning.

        Args:
            shift: by how much the pictures of the encode begin later than those of the source.
        """
        source, encode = (_times(file, _EMPTY) for file in self._lists)
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
    log, metric = folder / "scores.log", comparison.metric
    with metric.at_hand(comparison, folder) as named:
        compared = graph(
            "1:v:0",
            f"0:{pair.stream_index}",
            named,
            reference_filter=pair.settings.video_filter,
            threads=threads,
            log=log,
        )
        output = Output(["[scored]"], folder / "read.txt", PASS_THROUGH | LIST_FRAMES)
        process.run(ffmpeg.path, command(output, inputs=pair.inputs, graph=compared), on_progress=on_progress)
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

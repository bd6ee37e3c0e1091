"""Samples: the spans of a source that are encoded and scored, and how they are cut out frame-exactly.

The rule that places them is ab-av1's, so that results compare: spans of 20 s, one per started 12 minutes, spread evenly;
the whole source when the spans would cover 85 % of it.
"""

from __future__ import annotations

import errno
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from vmaftune.errors import NoRoomError, UserError
from vmaftune.escape import file_url
from vmaftune.media.extent import cut_short
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.media.opened import open_media

_Packet = Any  # av.Packet, whose times may be None in its types but not in packets that _timed lets through
_WHOLE_FROM_SHARE = 0.85
_PACKETS_LOOKED_AHEAD = 64
SECONDS_SOUGHT_BEFORE = 10.0
_MOV_NAMES = {"mov", "mp4"}
_CANNOT_HOLD = (ValueError, LookupError, EOFError, StopIteration)  # PyAV's errors where a format does not take a codec
_MP4_ONLY = {"av1", "vp9"}  # the codecs that ffmpeg writes to .mp4 and refuses for .mov


class SampleRule(msgspec.Struct, frozen=True, kw_only=True):
    """How samples are placed.

    Attributes:
        samples: how many; None for one per started ``every_seconds``.
        every_seconds: a sample for each started span of this length.
        duration_seconds: length of one sample; 0 for the whole source.
        min_samples: at least so many.
    """

    samples: int | None = None
    every_seconds: float = 720.0
    duration_seconds: float = 20.0
    min_samples: int = 1


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One span of a source, in a file of its own (or the source itself, when it is short).

    Attributes:
        path: file that holds the span.
        stream_index: of the video stream within it.
        start_seconds: where it begins in the source.
        seconds: how long it lasts by the times of its frames; 0 where those say nothing.
        source_bytes: size of its video packets in the source.
        packet_bytes: size of each packet in bytes, in decoding order.
        keyframes: whether each packet is a key frame.
    """

    path: Path
    stream_index: int
    start_seconds: float
    source_bytes: int
    packet_bytes: tuple[int, ...]
    keyframes: tuple[bool, ...]
    seconds: float = 0.0


def plan(duration_seconds: float, rule: SampleRule) -> list[float] | None:
    """Start times in seconds of the samples, or None when the whole source is to be taken."""
    count = rule.samples or max(1, math.ceil(duration_seconds / rule.every_seconds))
    count = max(count, rule.min_samples)
    if rule.duration_seconds <= 0 or rule.duration_seconds * count >= duration_seconds * _WHOLE_FROM_SHARE:
        return None
    gap = (duration_seconds - rule.duration_seconds * count) / (count + 1)
    return [gap * (n + 1) + rule.duration_seconds * n for n in range(count)]


def cut(source: Path, facts: MediaFacts, rule: SampleRule, folder: Path) -> list[Sample]:
    """Cut the samples of ``source`` into ``folder``; they are copies of its packets, not encodes.

    A sample begins at the key frame at or before its planned start and ends where no frame that was left out would be
    shown before one that was taken, so decoding it gives consecutive frames of the source, all of them and no other.

    Where that cannot be (no key frame after the place, a codec that goes into no other file), the whole source is taken.

    Raises:
        UserError: the source cannot be read to its end.
        VmafTuneError: the copies cannot be written.
    """
    starts = plan(facts.duration_seconds, rule)
    try:
        if starts is None:
            return [_whole(source, facts)]
        samples = [_cut_one(source, facts, rule, start, folder / f"sample-{n}") for n, start in enumerate(starts)]
        copied = [sample for sample in samples if sample is not None]
        if len(copied) < len(samples):
            return [_whole(source, facts)]
    except av.error.FFmpegError as error:
        if error.errno == errno.ENOSPC:
            raise NoRoomError("no room for samples") from error
        raise UserError(f"{shown(source)} cannot be read to its end: {error.strerror}; is it complete?") from error
    return list({sample.start_seconds: sample for sample in copied}.values())


def _whole(source: Path, facts: MediaFacts) -> Sample:
    with open_media(source) as container:
        packets = list(packets_of(container, facts))
    if facts.declared_frames > len(packets):
        raise cut_short(shown(source), f"{len(packets)} of its {facts.declared_frames} frames can be read")
    return _sample(source, facts.stream_index, 0.0, packets)


class _Container(msgspec.Struct, frozen=True, kw_only=True):
    """How samples of one kind of container are read and written.

    Attributes:
        formats: of the sample files, the first that takes the codec.
        shown_times: packets carry the time at which they are shown; AVI has only an order of decoding.
        joined_anywhere: a seek may land in the middle of a picture (MPEG program and transport streams).
    """

    formats: tuple[str, ...]
    shown_times: bool = True
    joined_anywhere: bool = False


def container_of(container: av.container.InputContainer, facts: MediaFacts) -> _Container:
    """How samples of an opened source are read and written."""
    names = set(container.format.name.split(","))
    if names & _MOV_NAMES:
        return _Container(formats=("mp4",) if facts.codec in _MP4_ONLY else ("mov", "matroska"))
    if "avi" in names:
        return _Container(formats=("nut", "matroska"), shown_times=False)
    # NUT has no cropping.
    formats = ("matroska",) if facts.cropped else ("matroska", "nut")
    return _Container(formats=formats, joined_anywhere=bool(names & {"mpeg", "mpegts"}))


def _cut_one(source: Path, facts: MediaFacts, rule: SampleRule, start_seconds: float, stem: Path) -> Sample | None:
    """One sample, or None when there is no place to cut or no file to cut to."""
    with open_media(source) as container:
        kind = container_of(container, facts)
        stream = container.streams[facts.stream_index]
        assert stream.time_base is not None
        origin = stream.start_time or 0
        start = origin + int(start_seconds / stream.time_base)
        packets = _span(_from(container, facts, kind, origin, start), start, rule.duration_seconds, kind)
        if not packets:
            return None
        begin = float((packets[0].pts - origin) * stream.time_base)
        path = write_copy(packets, stream, kind.formats, stem)
        return None if path is None else _sample(path, 0, begin, packets)


def write_copy(packets: Sequence[_Packet], stream: Any, formats: Sequence[str], stem: Path) -> Path | None:
    """The file that the packets were copied to, in the first format that takes them; None where none does."""
    shift = min(p.dts if p.dts is not None else p.pts for p in packets)
    times = [(p.pts - shift, None if p.dts is None else p.dts - shift) for p in packets]
    for name in formats:
        path = stem.with_suffix(f".{name}")
        try:
            with av.open(file_url(path), "w", format=name) as output:
                # Opaque: copied as it is. Otherwise PyAV wants an encoder of the decoder's name, and AV1 has none.
                copy = output.add_stream_from_template(stream, opaque=True)
                for packet, (pts, dts) in zip(packets, times, strict=True):
                    packet.pts, packet.dts, packet.time_base, packet.stream = pts, dts, stream.time_base, copy
                    output.mux(packet)
            with open_media(path) as written:
                next(written.decode(video=0))
            return path
        except _CANNOT_HOLD:
            path.unlink(missing_ok=True)
    return None


def packets_of(container: av.container.InputContainer, facts: MediaFacts) -> Iterator[_Packet]:
    """Packets of the video that is encoded, in decoding order."""
    for packet in container.demux(container.streams[facts.stream_index]):
        if packet.size:
            yield packet


def _from(
    container: av.container.InputContainer, facts: MediaFacts, kind: _Container, origin: int, start: int
) -> Iterator[_Packet]:
    """Packets with times from a place at or before ``start`` on, in the stream's time base."""
    stream = container.streams[facts.stream_index]
    assert stream.time_base is not None
    place = start - int(SECONDS_SOUGHT_BEFORE / stream.time_base) if kind.joined_anywhere else start
    broken = 0
    if place > origin:
        container.seek(place, stream=stream, backward=True)
        broken = 1 if kind.joined_anywhere else 0  # the rest of a picture, which may even be called a key frame
    for packet in itertools.islice(packets_of(container, facts), broken, None):
        if packet.dts is not None and (packet.pts is None or not kind.shown_times):
            packet.pts = packet.dts
        if packet.pts is not None:
            yield packet


def _span(packets: Iterator[_Packet], start: int, duration_seconds: float, kind: _Container) -> list[_Packet]:
    """Packets from the last key frame at or before ``start`` (or the first after it), for at least
    ``duration_seconds``, up to a place where they can end."""
    taken: list[_Packet] = []
    wanted: int | None = None
    for packet in packets:
        if packet.is_keyframe and not packet.is_discard and (not taken or packet.pts <= start):
            taken.clear()
        elif not taken:
            continue
        elif packet.pts < taken[0].pts:
            continue  # a leading picture of an open GOP: it needs frames before the cut
        elif wanted is not None and packet.is_keyframe and not kind.shown_times:
            break  # whatever stands before a key frame is shown before what follows it
        taken.append(packet)
        length = (packet.pts - taken[0].pts) * packet.time_base
        if wanted is None and length >= duration_seconds:
            wanted = len(taken) - 1
        if wanted is not None and kind.shown_times and len(taken) >= wanted + _PACKETS_LOOKED_AHEAD:
            break
    return taken if wanted is None or not kind.shown_times else taken[: _clean_end([p.pts for p in taken], wanted)]


def _clean_end(times: Sequence[int], wanted: int) -> int:
    """The first length from ``wanted`` on at which everything kept is shown before everything left out."""
    earliest_after = [0] * len(times)
    earliest = times[-1] + 1
    for index in range(len(times) - 1, -1, -1):
        earliest_after[index] = earliest = min(earliest, times[index])
    latest = max(times[:wanted])
    for length in range(wanted, len(times)):
        latest = max(latest, times[length - 1])
        if latest < earliest_after[length]:
            return length
    return wanted


def _sample(path: Path, stream_index: int, start_seconds: float, packets: Sequence[_Packet]) -> Sample:
    sizes = tuple(packet.size for packet in packets)
    return Sample(
        path=path,
        stream_index=stream_index,
        start_seconds=start_seconds,
        source_bytes=sum(sizes),
        packet_bytes=sizes,
        keyframes=tuple(bool(packet.is_keyframe) for packet in packets),
        seconds=_lasting(packets),
    )


def _lasting(packets: Sequence[_Packet]) -> float:
    timed = [p for p in packets if p.pts is not None and not p.is_discard]
    if not timed:  # a raw stream, such as a .hevc file, has no times at all
        return 0.0
    last = max(timed, key=lambda packet: packet.pts)
    lasts = last.duration or (last.pts - timed[0].pts) // max(1, len(timed) - 1)
    return float((last.pts + lasts - min(p.pts for p in timed)) * last.time_base)

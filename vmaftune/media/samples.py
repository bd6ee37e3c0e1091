"""Samples: the spans of a source that are encoded and scored, and how they are cut out frame-exactly.

The rule that places them is ab-av1's, so that results compare: spans of 20 s, one per started 12 minutes, spread evenly;
the whole source when the spans would cover 85 % of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg.escape import file_url
from vmaftune.media.facts import MediaFacts, shown

_Packet = Any  # av.Packet, whose times may be None in its types but not in packets that _packets lets through
_WHOLE_FROM_SHARE = 0.85
_PACKETS_LOOKED_AHEAD = 64
_MOV_NAMES = {"mov", "mp4"}


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

    Raises:
        UserError: the source cannot be read to its end.
        VmafTuneError: the copies cannot be written.
    """
    starts = plan(facts.duration_seconds, rule)
    try:
        if starts is None:
            return [_whole(source, facts)]
        samples = [_cut_one(source, facts, rule, start, folder / f"sample-{n}") for n, start in enumerate(starts)]
    except av.error.FFmpegError as error:
        if error.errno == 28:  # ENOSPC
            raise VmafTuneError(f"no room for samples in {folder.parent}; set TMPDIR to a folder with room") from error
        raise UserError(f"{shown(source)} cannot be read to its end: {error.strerror}; is it complete?") from error
    return list({sample.start_seconds: sample for sample in samples}.values())


def _whole(source: Path, facts: MediaFacts) -> Sample:
    with av.open(file_url(source), metadata_errors="replace") as container:
        packets = list(_packets(container, facts))
    if facts.declared_frames > len(packets):
        raise UserError(
            f"{shown(source)} is damaged or cut short: {len(packets)} of its {facts.declared_frames} frames can be read"
        )
    last = max((float((p.pts + (p.duration or 0)) * p.time_base) for p in packets), default=0.0)
    first = min((float(p.pts * p.time_base) for p in packets), default=0.0)
    if last - min(first, 0.0) < 0.9 * facts.duration_seconds - 1.0:
        raise UserError(
            f"{shown(source)} is damaged or cut short: its video ends after {last:.1f} of {facts.duration_seconds:.1f} s"
        )
    return _sample(source, facts.stream_index, 0.0, packets)


def _cut_one(source: Path, facts: MediaFacts, rule: SampleRule, start_seconds: float, stem: Path) -> Sample:
    with av.open(file_url(source), metadata_errors="replace") as container:
        stream = container.streams[facts.stream_index]
        origin = stream.start_time or 0
        assert stream.time_base is not None
        container.seek(origin + int(start_seconds / stream.time_base), stream=stream, backward=True)
        packets = _span(_packets(container, facts), rule.duration_seconds)
        if not packets:
            raise UserError(f"{shown(source)} cannot be read at {start_seconds:.0f} s; is it complete?")
        mov = _MOV_NAMES & set(container.format.name.split(","))
        path = stem.with_suffix(".mov" if mov else ".mkv")
        begin = float((packets[0].pts - origin) * stream.time_base)
        sample = _sample(path, 0, begin, packets)
        with av.open(file_url(path), "w", format="mov" if mov else "matroska") as output:
            copy = output.add_stream_from_template(stream)
            shift = min(p.dts if p.dts is not None else p.pts for p in packets)
            for packet in packets:
                packet.pts -= shift
                packet.dts = packet.dts - shift if packet.dts is not None else None
                packet.stream = copy
                output.mux(packet)
    return sample


def _packets(container: av.container.InputContainer, facts: MediaFacts) -> Iterator[_Packet]:
    for packet in container.demux(container.streams[facts.stream_index]):
        if packet.size and packet.pts is not None:
            yield packet


def _span(packets: Iterator[_Packet], duration_seconds: float) -> list[_Packet]:
    """Packets from the first key frame on, for at least ``duration_seconds``, up to a place where they can end."""
    taken: list[_Packet] = []
    wanted: int | None = None
    for packet in packets:
        if not taken and not packet.is_keyframe:
            continue
        if taken and packet.pts < taken[0].pts:
            continue  # a leading picture of an open GOP: it needs frames before the cut
        taken.append(packet)
        length = (packet.pts - taken[0].pts) * packet.time_base
        if wanted is None and length >= duration_seconds:
            wanted = len(taken) - 1
        if wanted is not None and len(taken) >= wanted + _PACKETS_LOOKED_AHEAD:
            break
    return taken if wanted is None else taken[: _clean_end([p.pts for p in taken], wanted)]


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
    )

"""One trial encode of one sample and its score: in one ffmpeg process, or in two where ffmpeg has no loopback decoder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from vmaftune.encoders.spec import EncoderSettings
from vmaftune.encoding.arguments import encoded, of_one_size
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import (
    KEEP_FILTERS,
    LIST_FRAMES,
    LIST_PACKETS,
    PASS_THROUGH,
    Output,
    Stream,
    command,
    one_size,
    read,
)
from vmaftune.ffmpeg.damage import damage_of
from vmaftune.ffmpeg.listing import count_frames, packet_bytes
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.media.facts import read_facts
from vmaftune.quality.compare import Selection, check_pairing, graph
from vmaftune.quality.metric import Comparison, FloatArray

PROBE_VERSION = 2
"""Raised whenever the same encode would get another score or size here; part of every cache key."""

# ffmpeg's libvvenc wrapper now and then ends a clip shorter than the encoder's lookahead without one packet.
_ATTEMPTS = 4


class _Files(NamedTuple):
    """What a run writes: a line for each packet of the encode, one for each frame that the metric reads, and its log."""

    packets: Path
    read: Path
    log: Path


class ScoredFiles(NamedTuple):
    """Two videos compared: metrics of each frame, how many each has, and the first error of a decoder, if any."""

    metrics: list[dict[str, float]]
    reference_frames: int
    distorted_frames: int
    damage: str


class EncodedSample(msgspec.Struct, frozen=True, kw_only=True):
    """What one probe of one sample gave.

    Attributes:
        frame_scores: of each frame that was scored, as Metric.scores gives them.
        encoded_bytes: size of the video packets, without container.
        encode_seconds: wall time of the encode alone where it had a process of its own, else of both together.
        score_seconds: wall time of the scoring where it had a process of its own, else 0.
    """

    frame_scores: np.ndarray
    encoded_bytes: int
    encode_seconds: float
    score_seconds: float


def encode_and_score(
    ffmpeg: Ffmpeg,
    sample: Path,
    stream_index: int,
    expected_frames: int,
    settings: EncoderSettings,
    crf: float,
    comparison: Comparison,
    *,
    threads: int,
    folder: Path,
    picture: tuple[int, int] | None = None,
    selection: Selection | None = None,
    one_process: bool | None = None,
    on_progress: ProgressCallback | None = None,
) -> EncodedSample:
    """Encode one sample at one CRF and score it against itself.

    Args:
        sample: file that is encoded; its video stream is ``stream_index``.
        expected_frames: frames that decoding the sample gives (after the user's filters).
        folder: where the logs are written; they are removed again.
        picture: width and height in pixels that the sample is encoded at before the user's filters; None reads those of
            its first frame.
        selection: frames that are read and scored; None scores all. All are encoded either way.
        one_process: None takes one process where ffmpeg can.

    Raises:
        FfmpegError: the encoder or the filters failed.
        PairingError: frames of encode, score and source do not have one count.
    """
    files = _Files(folder / "packets.txt", folder / "read.txt", folder / "scores.log")
    metric = comparison.metric
    use_one = ffmpeg.loopback if one_process is None else one_process
    run = _one_process if use_one else _two_processes
    settings = of_one_size(settings, picture or _picture(sample))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with metric.at_hand(comparison, folder) as named:
                compared = functools.partial(
                    graph,
                    comparison=named,
                    reference_filter=settings.video_filter,
                    threads=threads,
                    log=files.log,
                    selection=selection,
                )
                encode_seconds, score_seconds = run(
                    ffmpeg, sample, stream_index, settings, crf, compared, files, on_progress
                )
            scores = metric.scores(metric.read_log(files.log))
            sizes, frames_read = packet_bytes(files.packets), count_frames(files.read)
            break
        except VmafTuneError:
            if attempt == _ATTEMPTS or not _opened_but_empty(files.packets):
                raise
        finally:
            for file in files:
                file.unlink(missing_ok=True)
    what = f"{settings.spec.name} at CRF {crf:g}"
    check_pairing(len(sizes), expected_frames, what)
    if selection is None:
        check_pairing(len(scores), expected_frames, what)
    else:
        check_pairing(frames_read, selection.frames, f"{what}, a part")
        check_pairing(len(scores), selection.scored, f"{what}, a part")
    if not np.isfinite(scores).all():
        raise VmafTuneError(f"{what}: {metric.filter} gave a score that is no number")
    return EncodedSample(
        frame_scores=scores, encoded_bytes=sum(sizes), encode_seconds=encode_seconds, score_seconds=score_seconds
    )


def _opened_but_empty(packets: Path) -> bool:
    """The encoder was opened, for the listing has its header, and gave nothing."""
    return packets.is_file() and packets.stat().st_size > 0 and not packet_bytes(packets)


def _picture(sample: Path) -> tuple[int, int]:
    facts = read_facts(sample)
    return facts.width, facts.height


def _scored(to: Path | None) -> Output:
    return Output(["[scored]"], to, PASS_THROUGH if to is None else PASS_THROUGH | LIST_FRAMES)


def _one_process(
    ffmpeg: Ffmpeg,
    sample: Path,
    stream_index: int,
    settings: EncoderSettings,
    crf: float,
    compared: Callable[[str, str], str],
    files: _Files,
    on_progress: ProgressCallback | None,
) -> tuple[float, float]:
    """The loopback decoder (``-dec 0:0``) feeds the encoder's packets to the metric beside the source.

    The metric's output goes to an output of its own: unlabelled, it would join the first output and close a cycle.
    """
    arguments = command(
        encoded(sample, stream_index, settings, crf, files.packets, LIST_PACKETS),
        _scored(files.read),
        first=settings.spec.device_arguments,
        decoders=["0:0"],
        graph=compared("dec:0", f"0:{stream_index}"),
    )
    seconds, _ = process.run(ffmpeg.path, arguments, on_progress=on_progress)
    return seconds, 0.0


def _two_processes(
    ffmpeg: Ffmpeg,
    sample: Path,
    stream_index: int,
    settings: EncoderSettings,
    crf: float,
    compared: Callable[[str, str], str],
    files: _Files,
    on_progress: ProgressCallback | None,
) -> tuple[float, float]:
    made = files.packets.with_name("encoded.mkv")
    try:
        output = encoded(sample, stream_index, settings, crf, made, {"f": "matroska"})
        encode = command(output, first=settings.spec.device_arguments)
        encode_seconds, _ = process.run(ffmpeg.path, encode, on_progress=on_progress)
        score = command(
            Output(["0:v:0"], files.packets, {"c": "copy"} | LIST_PACKETS),
            _scored(files.read),
            inputs=(read(made), read(sample, KEEP_FILTERS)),
            graph=compared("0:v:0", f"1:{stream_index}"),
        )
        score_seconds, _ = process.run(ffmpeg.path, score)
    finally:
        made.unlink(missing_ok=True)
    return encode_seconds, score_seconds


def score_itself(
    ffmpeg: Ffmpeg,
    sample: Path,
    stream_index: int,
    expected_frames: int,
    video_filter: str | None,
    comparison: Comparison,
    *,
    threads: int,
    folder: Path,
    picture: tuple[int, int],
) -> FloatArray:
    """Scores of every frame of a sample against itself, as Metric.scores gives them: what an encode without any loss gets.

    Args:
        expected_frames: that the user's filters leave.
        video_filter: the user's filters.
        picture: width and height in pixels before them.

    Raises:
        FfmpegError: the metric or the filters failed.
        PairingError: another number of frames was scored.
    """
    log, metric = folder / "scores.log", comparison.metric
    chain = one_size(picture, video_filter)
    try:
        with metric.at_hand(comparison, folder) as named:
            compared = graph("one", "other", named, reference_filter=None, threads=threads, log=log)
            both = f"[0:{stream_index}]{chain},split[one][other];{compared}"
            process.run(ffmpeg.path, command(_scored(None), inputs=[read(sample, KEEP_FILTERS)], graph=both))
        scores = metric.scores(metric.read_log(log))
    finally:
        log.unlink(missing_ok=True)
    check_pairing(len(scores), expected_frames, "the source against itself")
    return scores


def score_files(
    ffmpeg: Ffmpeg,
    reference: tuple[Stream, int],
    distorted: tuple[Stream, int],
    comparison: Comparison,
    *,
    threads: int,
    folder: Path,
    pictures: tuple[tuple[int, int], tuple[int, int]] | None = None,
    on_progress: ProgressCallback | None = None,
) -> ScoredFiles:
    """Score one video against another.

    Args:
        reference, distorted: the input (vmaftune.ffmpeg.command.read) and the stream index.
        pictures: width and height in pixels of the first picture of each, which all others of it are brought to; None where no
            size changes.

    Raises:
        FfmpegError: one of them could not be decoded, or the metric failed.
    """
    log, counts = folder / "scores.log", (folder / "reference.txt", folder / "distorted.txt")
    outputs = [_scored(None)]
    for number, (stream, file) in enumerate(zip((reference[1], distorted[1]), counts, strict=True)):
        outputs.append(Output([f"{number}:{stream}"], file, PASS_THROUGH | LIST_FRAMES))
    streams = f"1:{distorted[1]}", f"0:{reference[1]}"
    try:
        with comparison.metric.at_hand(comparison, folder) as named:
            same = [one_size(size) for size in pictures] if pictures else [None, None]
            compared = graph(
                *streams, named, reference_filter=same[0], distorted_filter=same[1], threads=threads, log=log
            )
            arguments = command(*outputs, inputs=(reference[0], distorted[0]), graph=compared)
            _, said = process.run(ffmpeg.path, arguments, on_progress=on_progress)
        of_reference, of_distorted = (len(packet_bytes(file)) for file in counts)
        return ScoredFiles(comparison.metric.read_log(log), of_reference, of_distorted, damage_of(said))
    finally:
        for file in (log, *counts):
            file.unlink(missing_ok=True)

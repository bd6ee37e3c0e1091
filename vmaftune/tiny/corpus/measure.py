"""One run of libvmaf over a pair gives both what a tiny model is fed and what it is to say (ADR-0203)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import msgspec

from vmaftune.encoding.probe import score_files
from vmaftune.errors import FfmpegError, UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, Output, Stream, command, filtered, generated, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.media.facts import read_facts, shown
from vmaftune.quality.compare import check_pairing
from vmaftune.quality.metric import Comparison
from vmaftune.quality.vmaf import MODEL_HD, VMAF
from vmaftune.tiny.corpus.pairs import Pair, Video

MODEL = MODEL_HD
"""The teacher, whatever the size: a tiny model knows no size."""


class _Input(NamedTuple):
    opened: Stream
    stream: int
    size: tuple[int, int]
    bit_depth: int


def measure_pair(
    ffmpeg: Ffmpeg, pair: Pair, folder: Path, on_progress: ProgressCallback
) -> tuple[tuple[int, int], list[dict[str, float]]]:
    """Score a pair at its reference's size, frame by frame in order.

    Args:
        folder: where logs are written; no other pair may use it at the same time.

    Returns:
        The size in pixels, and libvmaf's metrics of each frame.

    Raises:
        UserError: one of them cannot be read, or they do not have as many frames.
        VmafTuneError: libvmaf failed, or gave what is no number.
    """
    reference, distorted = _input(pair.reference), _input(pair.distorted)
    comparison = Comparison(
        metric=VMAF,
        model=MODEL,
        size=None if reference.size == distorted.size else reference.size,
        pix_fmt="yuv420p10le" if max(reference.bit_depth, distorted.bit_depth) > 8 else "yuv420p",
    )
    name = shown(pair.distorted.path)
    try:
        metrics, in_reference, in_distorted, _ = score_files(
            ffmpeg,
            (reference.opened, reference.stream),
            (distorted.opened, distorted.stream),
            comparison,
            threads=1,
            folder=folder,
            on_progress=on_progress,
        )
    except FfmpegError as error:
        raise UserError(f"{name} cannot be scored: {error.reason}") from error
    if in_reference != in_distorted:
        raise UserError(f"{name} has {in_distorted} frames and its reference {in_reference}; they cannot be paired")
    check_pairing(len(metrics), in_reference, name)
    for index, frame in enumerate(metrics):
        if not all(math.isfinite(value) for value in frame.values()):
            raise VmafTuneError(f"{name}, frame {index}: libvmaf gave a value that is no finite number")
    return reference.size, metrics


def _input(video: Video) -> _Input:
    geometry = video.stamp.geometry
    if geometry is not None:
        size = geometry.width, geometry.height
        return _Input(read(video.path, KEEP_FILTERS | geometry.options), 0, size, geometry.bit_depth)
    facts = read_facts(video.path)
    opened = read(video.path, KEEP_FILTERS)
    return _Input(opened, facts.stream_index, (facts.width, facts.height), facts.bit_depth)


class _Versioned(msgspec.Struct):
    version: str


def libvmaf_version(ffmpeg: Ffmpeg, folder: Path) -> str:
    """The version that libvmaf writes into its log.

    Raises:
        VmafTuneError: it wrote none.
    """
    log = folder / "version.json"
    flat = generated("color=size=64x64:rate=1:duration=1")["v"]
    scored = filtered("libvmaf", flat, flat, log_fmt="json", log_path=str(log.absolute()))
    process.run(ffmpeg.path, command(Output([scored], None)))
    try:
        return msgspec.json.decode(log.read_bytes(), type=_Versioned).version
    except (OSError, msgspec.DecodeError) as error:
        raise VmafTuneError(f"libvmaf of {ffmpeg.path} wrote no log that tells its version: {error}") from error

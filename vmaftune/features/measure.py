"""One pass over the samples: counts their frames, looks at a thinned, downscaled part of them, and makes the pilots."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.contract.features import NAMES, SCHEMA_VERSION, Features
from vmaftune.errors import FfmpegError, UserError
from vmaftune.escape import filter_value
from vmaftune.features.pilot import Pilot, PilotPlan, PilotScore
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, PASS_THROUGH, Output, Stream, command, one_size, read
from vmaftune.ffmpeg.damage import damage_of
from vmaftune.ffmpeg.listing import count_frames, frames_counted, picture_size
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.media.samples import Sample

# Two consecutive frames of every twelve: temporal measures need neighbours. The height is even and keeps the shape, but for
# strips so thin that ffmpeg would find no size for them.
_THINNED = (
    "select=lt(mod(n\\,12)\\,2),scale=480:clip(2*round(240*ih/iw)\\,16\\,8192):flags=bicubic,format=yuv420p,"
    "siti,signalstats=stat=tout"
)
_KEYS = {
    "siti.si": "si",
    "siti.ti": "ti",
    "signalstats.YAVG": "luma",
    "signalstats.YLOW": "low",
    "signalstats.YHIGH": "high",
    "signalstats.SATAVG": "saturation",
    "signalstats.YDIF": "difference",
    "signalstats.TOUT": "outliers",
}
_LINE = re.compile(r"lavfi\.([\w.]+)=(\S+)")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What the pass found.

    Attributes:
        features: of the source, from all samples together.
        frames: frames that decoding each sample gives (before any filter of the user's).
        feature_seconds: wall time of the pass.
        damage: the first error of the decoder; empty where there was none.
    """

    features: Features
    frames: tuple[int, ...]
    feature_seconds: float
    damage: str = ""


def measure(
    ffmpeg: Ffmpeg,
    facts: MediaFacts,
    samples: Sequence[Sample],
    folder: Path,
    source: Path,
    *,
    plan: PilotPlan,
    max_frames: int | None = None,
    trim: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Measured:
    """Measure the features of a source over its samples.

    Where ffmpeg has no loopback decoder or lacks the pilot's encoder, or the pictures are too small for it, there is no pilot,
    and its features are NaN.

    Args:
        plan: which pilot.
        max_frames: only the first so many frames of each sample; None takes all.
        on_progress: called with the share done, 0 when it begins, to 1.
        trim: filter that leaves the frames to look at, where a sample's file holds more than those of its packets.

    Raises:
        UserError: a sample cannot be decoded, or holds no frame.
    """
    began = time.monotonic()
    counts: list[int] = []
    rows: list[dict[str, float]] = []
    pilots: list[list[PilotScore]] = []
    damage = ""
    trim = f"trim=end_frame={max_frames}" if max_frames else trim
    packets = sum(len(sample.packet_bytes[:max_frames]) for sample in samples)
    with_pilot = Pilot.can(plan, ffmpeg, facts)
    tell = on_progress or (lambda share: None)
    tell(0.0)
    for number, sample in enumerate(samples):

        def progress(frame: int, number: int = number, frames: int = max(1, len(sample.packet_bytes))) -> None:
            tell((number + min(1.0, frame / frames)) / len(samples))

        makes = Pilot(plan, facts, sample.stream_index, packets, trim, folder, first_output=2)
        try:
            pilot = makes if with_pilot else None
            frames, sample_rows, said = _look(ffmpeg, sample, folder, source, trim, pilot, progress)
            pilots.append(makes.read() if with_pilot else [])
        finally:
            makes.remove()
        counts.append(frames)
        rows += sample_rows
        damage = damage or damage_of(said, joined=sample.path != source)
    values = _values(facts, samples, sum(counts), rows, max_frames)
    values |= makes.values(pilots) if with_pilot else dict.fromkeys(NAMES[len(values) :], math.nan)
    features = Features(schema=SCHEMA_VERSION, values=tuple(float(values[name]) for name in NAMES))
    seconds = time.monotonic() - began
    return Measured(features=features, frames=tuple(counts), feature_seconds=seconds, damage=damage)


def filtered(
    ffmpeg: Ffmpeg, sample: Sample, picture: tuple[int, int], video_filter: str, folder: Path
) -> tuple[int, tuple[int, int]]:
    """Frames of a sample, and their width and height, after the user's filter chain, which may change both.

    Args:
        picture: width and height in pixels that all pictures have before it.

    Raises:
        UserError: the filter chain fails.
    """
    listing = folder / "frames.txt"
    try:
        chain = one_size(picture, video_filter)
        process.run(ffmpeg.path, command(frames_counted(_video(sample), listing, chain)))
        return count_frames(listing), picture_size(listing.read_text("ascii"))
    except FfmpegError as error:
        raise UserError(f"--vfilter {video_filter!r} fails: {error.reason}") from error
    finally:
        listing.unlink(missing_ok=True)


def _video(sample: Sample) -> Stream:
    return read(sample.path, KEEP_FILTERS)[str(sample.stream_index)]


def _look(
    ffmpeg: Ffmpeg,
    sample: Sample,
    folder: Path,
    source: Path,
    trim: str | None,
    pilot: Pilot | None,
    on_progress: process.ProgressCallback,
) -> tuple[int, list[dict[str, float]], list[str]]:
    """Frames of a sample, what was measured of some of them, and ffmpeg's warnings."""
    listing, statistics = folder / "frames.txt", folder / "statistics.txt"
    print_to = f"metadata=mode=print:file={filter_value(str(statistics.absolute()))}"
    before = f"{trim}," if trim else ""
    video = _video(sample)
    outputs = [
        frames_counted(video, listing, trim),
        Output([video], None, {"vf": f"{before}{_THINNED},{print_to}"} | PASS_THROUGH),
    ]
    if pilot is None:
        arguments = command(*outputs)
    else:
        arguments = command(*outputs, *pilot.outputs(video), decoders=pilot.decoders, graph=pilot.graph)
    try:
        _, said = process.run(ffmpeg.path, arguments, on_progress=on_progress)
        frames = count_frames(listing)
        rows = _rows(statistics)
    except FfmpegError as error:
        raise UserError(f"{shown(source)} cannot be decoded: {error.reason}") from error
    finally:
        listing.unlink(missing_ok=True)
        statistics.unlink(missing_ok=True)
    if frames == 0 or not rows:
        raise UserError(f"{shown(source)} has no frame that can be decoded")
    return frames, rows, said


def _rows(statistics: Path) -> list[dict[str, float]]:
    """One dict for each frame looked at, in the names of _KEYS."""
    rows: list[dict[str, float]] = []
    for line in statistics.read_text("ascii", "replace").splitlines():
        if line.startswith("frame:"):
            rows.append({})
        elif (found := _LINE.match(line)) and found[1] in _KEYS:
            rows[-1][_KEYS[found[1]]] = float(found[2])
    return rows


def _values(
    facts: MediaFacts,
    samples: Sequence[Sample],
    frames: int,
    rows: Sequence[dict[str, float]],
    max_frames: int | None,
) -> dict[str, float]:
    def column(name: str, of: Sequence[dict[str, float]]) -> np.ndarray:
        column = np.array([row.get(name, 0.0) for row in of] or [0.0])
        return np.where(np.isfinite(column), column, 0.0)

    seconds = rows[1::2]  # of each pair, the frame whose neighbour was seen just before
    sizes = np.concatenate([np.array(s.packet_bytes[:max_frames], dtype=float) for s in samples])
    keys = np.concatenate([np.array(s.keyframes[:max_frames], dtype=bool) for s in samples])
    pixels = facts.width * facts.height
    return {
        "log2_pixels": math.log2(pixels),
        "fps": facts.fps,
        "bit_depth": facts.bit_depth,
        "log2_bits_per_pixel": math.log2(max(sizes.sum() * 8 / (frames * pixels), 2.0**-20)),
        "keyframe_byte_share": sizes[keys].sum() / max(sizes.sum(), 1.0),
        "packet_size_variation": sizes.std() / max(sizes.mean(), 1.0),
        "si_mean": column("si", rows).mean(),
        "ti_mean": column("ti", seconds).mean(),
        "ti_spread": column("ti", seconds).std(),
        "luma_mean": column("luma", rows).mean(),
        "luma_range": (column("high", rows) - column("low", rows)).mean(),
        "saturation_mean": column("saturation", rows).mean(),
        "luma_difference": column("difference", seconds).mean(),
        "temporal_outliers": column("outliers", seconds).mean(),
    }

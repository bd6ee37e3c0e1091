"""One clip of a made corpus: its reference and its distortions, each there whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.corpus.sources import Source
from vmaftune.encoders.spec import settings_for
from vmaftune.errors import FfmpegError, UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import KEEP_FILTERS, PASS_THROUGH, Output, command, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.media.facts import MediaFacts, shown
from vmaftune.media.opened import open_media
from vmaftune.media.raw import Geometry
from vmaftune.tiny.corpus.names import RAW_SUFFIX, DistortedName
from vmaftune.tiny.corpus.recipe import Distortion

SUFFIX = ".mkv"
PART = ".part"
_LEAST_FRAMES = 2


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """A clip to make a reference and its distortions of.

    Attributes:
        source: the file.
        facts: of it.
        size: of the reference in pixels, both even.
        reference: the file to make.
        geometry: of the reference's pictures.
        distortions: to make of it.
        raw: raw video throughout.
    """

    source: Source
    facts: MediaFacts
    size: tuple[int, int]
    reference: Path
    geometry: Geometry
    distortions: tuple[Distortion, ...]
    raw: bool


def make_clip(ffmpeg: Ffmpeg, clip: Clip, frames: int, go_on: ProgressCallback) -> int:
    """Make what is missing of a clip: consecutive frames from its middle, lossless, and encodes of them.

    Returns:
        How many distortions it has.

    Raises:
        VmafTuneError: it cannot be read or encoded.
        OSError: a file could not be written.
    """
    if not clip.reference.exists():
        _make_reference(ffmpeg, clip, frames, go_on)
    there = _names(clip)
    for distortion in clip.distortions:
        if f"{distortion.label}_{distortion.size[1]}" not in there:
            _make_distorted(ffmpeg, clip, distortion, go_on)
    return len(clip.distortions)


def _names(clip: Clip) -> set[str]:
    """Label and height of the distortions that are there."""
    pattern = re.compile(re.escape(f"{clip.source.clip}_") + r"([^_]+_\d+)_\d+", re.DOTALL)
    found = (pattern.fullmatch(path.stem) for path in (clip.reference.parent.parent / "dis").iterdir())
    return {match[1] for match in found if match}


def _make_reference(ffmpeg: Ffmpeg, clip: Clip, frames: int, go_on: ProgressCallback) -> None:
    facts, part = clip.facts, clip.reference.with_name(f".{clip.reference.name}{PART}")
    middle = max(0.0, (facts.duration_seconds - frames / facts.fps) / 2)
    chain = [
        f"scale={facts.width}:{facts.height}:flags=bicubic:out_range=limited",
        f"crop={facts.width // 2 * 2}:{facts.height // 2 * 2}:0:0",
        "scale={}:{}:flags=bicubic".format(*clip.size),
        f"format={clip.geometry.pix_fmt}",
        f"setpts=N/({facts.fps}*TB)",
    ]
    options = {"vf": ",".join(chain), "fps_mode": "cfr", "r": facts.fps, "frames:v": frames, "color_range": "tv"}
    options |= {"f": "rawvideo"} if clip.raw else {"c:v": "ffv1", "level": 3, "slices": 4, "f": "matroska"}
    for begin in (middle, 0.0):  # no frame is found after a seek where a container counts its times otherwise
        opened = read(clip.source.path, KEEP_FILTERS | ({"ss": f"{begin:.3f}"} if begin else {}))
        output = Output([opened[str(facts.stream_index)]], part, options)
        _run(ffmpeg, command(output), go_on, shown(clip.source.path))
        if _frames(part, clip) >= _LEAST_FRAMES:
            _finish(part, clip.reference)
            return
    part.unlink()
    raise UserError(f"{shown(clip.source.path)} has fewer than {_LEAST_FRAMES} frames")


def _frames(path: Path, clip: Clip) -> int:
    if clip.raw:
        return path.stat().st_size // clip.geometry.frame_bytes
    return len(_packets(path))


def _make_distorted(ffmpeg: Ffmpeg, clip: Clip, distortion: Distortion, go_on: ProgressCallback) -> None:
    folder = clip.reference.parent.parent / "dis"
    settings = settings_for(
        distortion.spec,
        preset=distortion.preset,
        pix_fmt=None,
        video_filter="scale={}:{}:flags=bicubic".format(*distortion.size),
        extra=("-flags:v", "+bitexact"),
        source_pix_fmt=clip.geometry.pix_fmt,
        source_size=clip.size,
    )
    what = f"{shown(clip.reference.name)} with {distortion.label}"
    reference = read(clip.reference, clip.geometry.options if clip.raw else {})
    part = folder / f".{clip.source.clip}_{distortion.label}_{distortion.size[1]}{PART}"
    options = {"vf": settings.filter_chain or "null", "fflags": "+bitexact", "f": "matroska"} | PASS_THROUGH
    output = Output([reference["v:0"]], part, options, settings.output_arguments(distortion.crf))
    _run(ffmpeg, command(output, first=settings.spec.device_arguments), go_on, what)
    sizes, frames = _packets(part), _frames(clip.reference, clip)
    if len(sizes) != frames:
        part.unlink()
        raise VmafTuneError(f"{what}: {frames} frames went in and {len(sizes)} came out")
    name = DistortedName(
        clip=clip.source.clip,
        label=distortion.label,
        height=distortion.size[1],
        kbps=max(1, round(sum(sizes) * 8 / 1000 / (frames / clip.facts.fps))),
    )
    if clip.raw:
        part = _decoded(ffmpeg, clip, part, go_on)
    _finish(part, folder / f"{name}{RAW_SUFFIX if clip.raw else SUFFIX}")


def _decoded(ffmpeg: Ffmpeg, clip: Clip, encoded: Path, go_on: ProgressCallback) -> Path:
    """The pictures of an encode at its reference's size, as Netflix's corpus has them."""
    part = encoded.with_name(f"{encoded.name}.raw{PART}")
    chain = "scale={}:{}:flags=bicubic,format={}".format(*clip.size, clip.geometry.pix_fmt)
    output = Output([read(encoded)["v:0"]], part, {"vf": chain, "f": "rawvideo"} | PASS_THROUGH)
    _run(ffmpeg, command(output), go_on, shown(encoded.name))
    encoded.unlink()
    return part


def _run(ffmpeg: Ffmpeg, arguments: Sequence[str], go_on: ProgressCallback, what: str) -> None:
    try:
        process.run(ffmpeg.path, arguments, on_progress=go_on)
    except FfmpegError as error:
        raise VmafTuneError(f"{what} cannot be encoded: {error.reason}") from error


def _packets(path: Path) -> list[int]:
    """Sizes in bytes of the packets of the video in ``path``."""
    with open_media(path) as container:
        return [packet.size for packet in container.demux(video=0) if packet.size]


def _finish(part: Path, path: Path) -> None:
    """Give a file its name, when all of it is on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(path)

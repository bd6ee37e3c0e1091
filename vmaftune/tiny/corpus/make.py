"""Making a corpus in the Netflix layout from any clips. Each file is there whole or not at all, so that it can be resumed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import msgspec
from filelock import FileLock, Timeout

from vmaftune.corpus.sources import Source, scaled_size
from vmaftune.encoders.spec import EncoderSpec, settings_for
from vmaftune.errors import FfmpegError, UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.escape import file_url
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.media.facts import MediaFacts, read_facts, shown
from vmaftune.tiny.corpus.manifest import FILE, Manifest, Recipe, read_manifest, write_manifest
from vmaftune.tiny.corpus.names import RAW_SUFFIX, DistortedName, reference_name
from vmaftune.tiny.corpus.parallel import run_parallel
from vmaftune.tiny.corpus.raw import Geometry
from vmaftune.tiny.corpus.recipe import Distortion, distortions, parse_heights
from vmaftune.tiny.corpus.watch import Watcher

_LEAST_FRAMES = 2
_SUFFIX = ".mkv"
_PART = ".part"


class _Clip(msgspec.Struct, frozen=True, kw_only=True):
    """A clip to make a reference and its distortions of."""

    source: Source
    facts: MediaFacts
    size: tuple[int, int]
    reference: Path
    geometry: Geometry
    distortions: tuple[Distortion, ...]
    raw: bool


def make_corpus(
    ffmpeg: Ffmpeg,
    sources: Sequence[Source],
    folder: Path,
    recipe: Recipe,
    encoders: Sequence[tuple[EncoderSpec, str | None]],
    *,
    jobs: int,
    watcher: Watcher,
) -> None:
    """Make ``ref/``, ``dis/`` and ``manifest.json`` in ``folder``; what is there already is not made again.

    The reference is made of consecutive frames from the middle of a clip, lossless and with even sides; a distortion is an
    encode of it, at its size or a lower one.

    Args:
        encoders: of the recipe, with their presets.

    Raises:
        UserError: ``folder`` holds a corpus made otherwise, another run is making it, or a clip cannot be read.
        OSError: it could not be written.
    """
    heights = parse_heights(recipe.heights)
    clips = [_planned(source, folder, recipe, encoders, heights) for source in sources]
    for name in ("ref", "dis"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with _only_run(folder):
        _note(folder, recipe, clips)
        for part in folder.glob(f"*/.*{_PART}"):
            part.unlink()

        def ended(clip: _Clip, made: int | VmafTuneError) -> None:
            work = clip.size[0] * clip.size[1]
            if isinstance(made, VmafTuneError):
                watcher.failed(clip.source.clip, str(made), work)
            else:
                watcher.done(f"{shown(clip.source.clip)}: {made} distortions", work)

        watcher.begun(len(clips), 0, sum(clip.size[0] * clip.size[1] for clip in clips))
        run_parallel(clips, lambda clip, go_on: _made(ffmpeg, clip, recipe.frames, go_on), jobs, ended)


@contextmanager
def _only_run(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise UserError(f"another run is making the corpus in {shown(folder)}; wait for it") from error
    try:
        yield
    finally:
        lock.release()


def _planned(
    source: Source,
    folder: Path,
    recipe: Recipe,
    encoders: Sequence[tuple[EncoderSpec, str | None]],
    heights: Sequence[Fraction | int | None],
) -> _Clip:
    facts = read_facts(source.path)
    own = facts.width // 2 * 2, facts.height // 2 * 2
    size = (scaled_size(*own, recipe.max_height) if recipe.max_height else None) or own
    if min(size) < 2:
        raise UserError(f"{shown(source.path)}: pictures of {facts.width}x{facts.height} are too small")
    suffix = RAW_SUFFIX if recipe.raw else _SUFFIX
    return _Clip(
        source=source,
        facts=facts,
        size=size,
        reference=folder / "ref" / f"{reference_name(source.clip, facts.fps)}{suffix}",
        geometry=Geometry(*size, "yuv420p10le" if facts.bit_depth > 8 else "yuv420p"),
        distortions=tuple(distortions(source.clip, size, encoders, heights, recipe.crfs)),
        raw=recipe.raw,
    )


def _note(folder: Path, recipe: Recipe, clips: Sequence[_Clip]) -> None:
    """Write the manifest, with the clips of earlier runs.

    Raises:
        UserError: an earlier run had another recipe.
    """
    before = read_manifest(folder)
    if before.recipe not in (None, recipe) or (before.recipe is None and (folder / FILE).exists()):
        raise UserError(f"{shown(folder)} holds a corpus made otherwise; give the same options, or name another folder")
    sources = {clip.source.clip: clip.source.source for clip in clips if clip.source.source != clip.source.clip}
    files = {f"ref/{clip.reference.name}": clip.geometry for clip in clips if clip.raw}
    manifest = Manifest(recipe=recipe, sources={**before.sources, **sources}, files={**before.files, **files})
    if manifest != before:
        write_manifest(folder, manifest)


def _made(ffmpeg: Ffmpeg, clip: _Clip, frames: int, go_on: ProgressCallback) -> int:
    """Make what is missing of a clip; returns how many distortions it has."""
    if not clip.reference.exists():
        _make_reference(ffmpeg, clip, frames, go_on)
    there = _names(clip)
    for distortion in clip.distortions:
        if f"{distortion.label}_{distortion.size[1]}" not in there:
            _make_distorted(ffmpeg, clip, distortion, go_on)
    return len(clip.distortions)


def _names(clip: _Clip) -> set[str]:
    """Label and height of the distortions that are there."""
    pattern = re.compile(re.escape(f"{clip.source.clip}_") + r"([^_]+_\d+)_\d+", re.DOTALL)
    found = (pattern.fullmatch(path.stem) for path in (clip.reference.parent.parent / "dis").iterdir())
    return {match[1] for match in found if match}


def _make_reference(ffmpeg: Ffmpeg, clip: _Clip, frames: int, go_on: ProgressCallback) -> None:
    facts, part = clip.facts, clip.reference.with_name(f".{clip.reference.name}{_PART}")
    middle = max(0.0, (facts.duration_seconds - frames / facts.fps) / 2)
    chain = [
        f"scale={facts.width}:{facts.height}:flags=bicubic:out_range=limited",
        f"crop={facts.width // 2 * 2}:{facts.height // 2 * 2}:0:0",
        "scale={}:{}:flags=bicubic".format(*clip.size),
        f"format={clip.geometry.pix_fmt}",
        f"setpts=N/({facts.fps}*TB)",
    ]
    output = ["-f", "rawvideo"] if clip.raw else ["-c:v", "ffv1", "-level", "3", "-slices", "4", "-f", "matroska"]
    for begin in (middle, 0.0):  # no frame is found after a seek where a container counts its times otherwise
        seek = ["-ss", f"{begin:.3f}"] if begin else []
        arguments = [*seek, "-reinit_filter", "0", "-i", file_url(clip.source.path), "-map", f"0:{facts.stream_index}"]
        arguments += ["-vf", ",".join(chain), "-fps_mode", "cfr", "-r", str(facts.fps), "-frames:v", str(frames)]
        _run(ffmpeg, [*arguments, "-color_range", "tv", *output, file_url(part)], go_on, shown(clip.source.path))
        if _frames(part, clip) >= _LEAST_FRAMES:
            _finish(part, clip.reference)
            return
    part.unlink()
    raise UserError(f"{shown(clip.source.path)} has fewer than {_LEAST_FRAMES} frames")


def _frames(path: Path, clip: _Clip) -> int:
    if clip.raw:
        return path.stat().st_size // clip.geometry.frame_bytes
    return len(_packets(path))


def _make_distorted(ffmpeg: Ffmpeg, clip: _Clip, distortion: Distortion, go_on: ProgressCallback) -> None:
    folder = clip.reference.parent.parent / "dis"
    settings = settings_for(
        distortion.spec,
        preset=distortion.preset,
        pix_fmt=None,
        video_filter="scale={}:{}:flags=bicubic".format(*distortion.size),
        extra=("-flags:v", "+bitexact"),
        source_pix_fmt=clip.geometry.pix_fmt,
        source_bit_depth=clip.geometry.bit_depth,
        source_size=clip.size,
    )
    what = f"{shown(clip.reference.name)} with {distortion.label}"
    given = [*clip.geometry.arguments, "-i", file_url(clip.reference)] if clip.raw else ["-i", file_url(clip.reference)]
    part = folder / f".{clip.source.clip}_{distortion.label}_{distortion.size[1]}{_PART}"
    chain = ["-vf", settings.filter_chain or "null", "-fps_mode", "passthrough"]
    encode = [*settings.spec.device_arguments, *given, *chain]
    encode += [*settings.output_arguments(distortion.crf), "-fflags", "+bitexact", "-f", "matroska", file_url(part)]
    _run(ffmpeg, encode, go_on, what)
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
    _finish(part, folder / f"{name}{RAW_SUFFIX if clip.raw else _SUFFIX}")


def _decoded(ffmpeg: Ffmpeg, clip: _Clip, encoded: Path, go_on: ProgressCallback) -> Path:
    """The pictures of an encode at its reference's size, as Netflix's corpus has them."""
    part = encoded.with_name(f"{encoded.name}.raw{_PART}")
    chain = "scale={}:{}:flags=bicubic,format={}".format(*clip.size, clip.geometry.pix_fmt)
    arguments = ["-i", file_url(encoded), "-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", file_url(part)]
    _run(ffmpeg, arguments, go_on, shown(encoded.name))
    encoded.unlink()
    return part


def _run(ffmpeg: Ffmpeg, arguments: Sequence[str], go_on: ProgressCallback, what: str) -> None:
    try:
        process.run(ffmpeg.path, arguments, on_progress=go_on)
    except FfmpegError as error:
        raise VmafTuneError(f"{what} cannot be encoded: {error.reason}") from error


def _packets(path: Path) -> list[int]:
    """Sizes in bytes of the packets of the video in ``path``."""
    with av.open(file_url(path)) as container:
        return [packet.size for packet in container.demux(video=0) if packet.size]


def _finish(part: Path, path: Path) -> None:
    """Give a file its name, when all of it is on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(path)

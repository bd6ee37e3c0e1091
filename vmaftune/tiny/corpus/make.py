"""Making a corpus in the Netflix layout from any clips. Each file is there whole or not at all, so that it can be resumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from filelock import FileLock, Timeout

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.corpus.sources import Source, scaled_size
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import read_facts, shown
from vmaftune.media.raw import Geometry
from vmaftune.tiny.corpus.clip import PART, SUFFIX, Clip, make_clip
from vmaftune.tiny.corpus.manifest import FILE, Manifest, Recipe, read_manifest, write_manifest
from vmaftune.tiny.corpus.names import RAW_SUFFIX, reference_name
from vmaftune.tiny.corpus.parallel import run_parallel
from vmaftune.tiny.corpus.recipe import distortions, parse_heights
from vmaftune.tiny.corpus.watch import Watcher


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
        for part in folder.glob(f"*/.*{PART}"):
            part.unlink()

        def ended(clip: Clip, made: int | VmafTuneError) -> None:
            work = clip.size[0] * clip.size[1]
            if isinstance(made, VmafTuneError):
                watcher.failed(clip.source.clip, str(made), work)
            else:
                watcher.done(f"{shown(clip.source.clip)}: {made} distortions", work)

        watcher.begun(len(clips), 0, sum(clip.size[0] * clip.size[1] for clip in clips))
        run_parallel(clips, lambda clip, go_on: make_clip(ffmpeg, clip, recipe.frames, go_on), jobs, ended)


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
) -> Clip:
    facts = read_facts(source.path)
    own = facts.width // 2 * 2, facts.height // 2 * 2
    size = (scaled_size(*own, recipe.max_height) if recipe.max_height else None) or own
    if min(size) < 2:
        raise UserError(f"{shown(source.path)}: pictures of {facts.width}x{facts.height} are too small")
    suffix = RAW_SUFFIX if recipe.raw else SUFFIX
    return Clip(
        source=source,
        facts=facts,
        size=size,
        reference=folder / "ref" / f"{reference_name(source.clip, facts.fps)}{suffix}",
        geometry=Geometry(*size, "yuv420p10le" if facts.bit_depth > 8 else "yuv420p"),
        distortions=tuple(distortions(source.clip, size, encoders, heights, recipe.crfs)),
        raw=recipe.raw,
    )


def _note(folder: Path, recipe: Recipe, clips: Sequence[Clip]) -> None:
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

"""What a corpus holds: every distorted file with its reference. Only names and sizes are looked at, no video is opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from vmaftune.corpus.sources import VIDEO_SUFFIXES
from vmaftune.errors import UserError
from vmaftune.media.facts import shown
from vmaftune.media.raw import Geometry
from vmaftune.tiny.corpus.guess import Told, guess_distorted, guess_references
from vmaftune.tiny.corpus.manifest import Manifest, read_manifest
from vmaftune.tiny.corpus.names import RAW_SUFFIX, DistortedName, find_reference, parse_distorted


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tells a file from the one that had its name before: its name, size and time of change, and its geometry if raw."""

    name: str
    file_bytes: int
    mtime_ns: int
    geometry: Geometry | None = None


class Video(msgspec.Struct, frozen=True):
    """A file of a corpus."""

    path: Path
    stamp: Stamp


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A distorted file and its reference.

    Attributes:
        source: what both are of.
        name: of the distorted file, without its suffix; no two pairs have the same.
    """

    source: str
    name: str
    reference: Video
    distorted: Video


def list_pairs(corpus: Path, told: Told, warn: Callable[[str], None] = lambda text: None) -> list[Pair]:
    """The pairs of a corpus, in the order of their names.

    Args:
        told: geometry of raw files that its manifest does not name.
        warn: told of references that nothing is made of.

    Raises:
        UserError: it is no corpus, a file is named wrongly or has no reference, or raw video is not a whole number of frames
            or not as many as its reference has.
    """
    manifest = read_manifest(corpus)
    references, distorted = _videos(corpus / "ref"), _videos(corpus / "dis")
    if not distorted:
        raise UserError(f"{shown(corpus / 'dis')} holds no video")
    _check_names(distorted)
    names = {path: parse_distorted(path) for path in distorted}
    of = {path: find_reference(name, path, references) for path, name in names.items()}
    heights = defaultdict(list)
    for path, reference in of.items():
        heights[reference].append(names[path].height)
    for path in references:
        if path not in heights:
            warn(f"ref/{shown(path.name)} has no distorted file in dis/")
    videos = _references(heights, manifest, told)
    return [
        Pair(
            source=manifest.sources.get(names[path].clip, names[path].clip),
            name=path.stem,
            reference=videos[of[path]],
            distorted=_distorted(path, names[path], manifest, told, videos[of[path]]),
        )
        for path in distorted
    ]


def _videos(folder: Path) -> list[Path]:
    """Files in a folder of a corpus that are videos by their suffix; hidden ones are being written."""
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except OSError as error:
        raise UserError(
            f"{shown(folder)}: {error.strerror}; a corpus is a folder with ref/ and dis/ in it (vmaf-tune tiny make-corpus)"
        ) from error
    videos = [path for path in found if path.suffix.lower() in (RAW_SUFFIX, *VIDEO_SUFFIXES)]
    for path in videos:
        if not path.name.isprintable():
            raise UserError(f"{shown(path)}: a name of a corpus must be printable UTF-8; rename it")
    return videos


def _check_names(distorted: Sequence[Path]) -> None:
    first: dict[str, Path] = {}
    for path in distorted:
        other = first.setdefault(path.stem, path)
        if other is not path:
            raise UserError(f"dis/{shown(other.name)} and dis/{shown(path.name)} have one name; rename one")


def _is_raw(path: Path) -> bool:
    return path.suffix.lower() == RAW_SUFFIX


def _stamp(path: Path, raw: Geometry | None) -> Stamp:
    status = path.stat()
    if raw is not None and (status.st_size % raw.frame_bytes or not status.st_size):
        raise UserError(
            f"{shown(path)} is not a whole number of {raw} frames: it has {status.st_size} bytes, a frame has "
            f"{raw.frame_bytes}; it is cut short, or of another size or format"
        )
    return Stamp(path.name, status.st_size, status.st_mtime_ns, raw)


def _references(heights: Mapping[Path, Sequence[int]], manifest: Manifest, told: Told) -> dict[Path, Video]:
    noted = {path: manifest.files.get(f"ref/{path.name}", manifest.raw) for path in heights if _is_raw(path)}
    untold = {path: path.stat().st_size for path, geometry in noted.items() if geometry is None}
    guessed = guess_references(untold, told, heights)
    return {path: Video(path, _stamp(path, noted.get(path) or guessed.get(path))) for path in heights}


def _distorted(path: Path, name: DistortedName, manifest: Manifest, told: Told, reference: Video) -> Video:
    geometry = manifest.files.get(f"dis/{path.name}")
    against = reference.stamp.geometry
    if _is_raw(path) and geometry is None:
        file_bytes = path.stat().st_size
        if against is not None:
            frames = reference.stamp.file_bytes // against.frame_bytes
            geometry = guess_distorted(path, file_bytes, told, name.height, against, frames)
        else:
            geometry = manifest.raw or guess_references({path: file_bytes}, told, {path: ()})[path]
    stamp = _stamp(path, geometry if _is_raw(path) else None)
    if stamp.geometry is not None and against is not None:
        held, wanted = stamp.file_bytes // stamp.geometry.frame_bytes, reference.stamp.file_bytes // against.frame_bytes
        if held != wanted:
            raise UserError(f"{shown(path)} has {held} frames and its reference {wanted}; they cannot be paired")
    return Video(path, stamp)

"""The sources of a corpus: files, folders of them, and manifests that say which film each is of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from vmaftune.errors import UserError
from vmaftune.media.facts import check_is_file, shown
from vmaftune.state.regular import open_regular

VIDEO_SUFFIXES = frozenset(
    (
        *(".mkv", ".webm", ".mp4", ".m4v", ".mov", ".avi", ".nut", ".mxf", ".wmv", ".flv", ".ogv", ".3gp"),
        *(".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".y4m", ".ivf", ".obu"),
        *(".h264", ".264", ".h265", ".265", ".hevc", ".266", ".vvc"),
    )
)
"""What counts as a video in a folder."""

_COLUMNS = ("file", "source", "kind")
_UNKNOWN_KIND = "unknown"
_KIND_ENDS = "__"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a corpus.

    Attributes:
        path: where it is.
        source: identifier of the film or shoot; the same for all its clips and heights.
        kind: of content.
        heights: pixels of the short side that it is scaled to first, which is the height of a landscape video; None leaves it
            as it is. Those not below its own are left out.
    """

    path: Path
    source: str
    kind: str
    heights: tuple[int | None, ...] = (None,)

    @property
    def clip(self) -> str:
        """What rows call the file."""
        return _plain(self.path.stem)


def scaled_size(width: int, height: int, short: int) -> tuple[int, int] | None:
    """The even size in pixels, in the shape of ``width`` x ``height``, whose short side is ``short``.

    Returns:
        Width and height, or None where ``short`` is not below the short side there is.
    """
    own = min(width, height)
    if short >= own:
        return None
    even = [2 * max(1, round(side * short / own / 2)) for side in (width, height)]
    return even[0], even[1]


def list_sources(paths: Sequence[Path], manifest: Path | None, heights: tuple[int | None, ...]) -> list[Source]:
    """The sources that were named: each file once, in the order given, those of the manifest alone after them.

    Args:
        paths: video files, or folders of them. Such a file is a source of its own, and its kind is what its name has before
            the first "__".
        manifest: CSV file with the columns file (from the manifest's folder on), source and kind; what it says of a file
            goes before what its name says.

    Raises:
        UserError: there is none, one cannot be opened, two have one name, or the manifest is wrong.
    """
    found = {path.resolve(): _by_name(path, heights) for path in _files(paths)}
    for source in _manifest(manifest, heights) if manifest is not None else ():
        found[source.path.resolve()] = source
    if not found:
        raise UserError("no source is named; name video files, folders of them, or a --manifest")
    first: dict[str, Source] = {}
    for source in found.values():
        other = first.setdefault(source.clip, source)
        if other is not source:
            both = f"{shown(other.path)} and {shown(source.path)}"
            raise UserError(f"{both} have one name, so that their rows could not be told apart; rename one")
    return list(found.values())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            check_is_file(path)
            yield path
            continue
        try:
            inside = sorted(file for file in path.iterdir() if not file.name.startswith("."))
        except OSError as error:
            raise UserError(f"cannot list the folder {shown(path)}: {error.strerror}") from error
        videos = [file for file in inside if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()]
        if not videos:
            raise UserError(f"{shown(path)} holds no video file")
        yield from videos


def _by_name(path: Path, heights: tuple[int | None, ...]) -> Source:
    name = _plain(path.stem)
    kind, ends, _ = name.partition(_KIND_ENDS)
    return Source(path=path, source=name, kind=kind if ends and kind else _UNKNOWN_KIND, heights=heights)


def _manifest(path: Path, heights: tuple[int | None, ...]) -> list[Source]:
    listed: dict[Path, Source] = {}
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(
                    f"{shown(path)}: its first line must name the columns file,source,kind; no {missing[0]}"
                )
            for row in reader:
                source = _entry(row, f"{shown(path)}, line {reader.line_num}", path.parent, heights)
                if listed.setdefault(source.path.resolve(), source) is not source:
                    raise UserError(f"{shown(path)}, line {reader.line_num}: {shown(source.path)} is named twice")
    except OSError as error:
        raise UserError(f"cannot read the manifest {shown(path)}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{shown(path)} is no manifest: {error}") from error
    return list(listed.values())


def _entry(row: dict[str, str | None], place: str, folder: Path, heights: tuple[int | None, ...]) -> Source:
    values = {name: (row[name] or "").strip() for name in _COLUMNS}
    for name, value in values.items():
        if not value:
            raise UserError(f"{place}: the column {name} is empty")
    path = folder / values["file"]
    try:
        check_is_file(path)
    except UserError as error:
        raise UserError(f"{place}: {error}") from error
    return Source(path=path, source=values["source"], kind=values["kind"], heights=heights)


def _plain(name: str) -> str:
    """A file name as JSON can hold it: what is not UTF-8 in it becomes question marks."""
    return name.encode("utf-8", "replace").decode()

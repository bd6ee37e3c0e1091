"""From what a person names (files, folders, a table) to what is enqueued: each source with its output and its options."""

from __future__ import annotations

import csv
import io
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from vmaftune.batch.places import check_folder, check_output, check_source
from vmaftune.batch.queue import Wanted
from vmaftune.config.bound import laid_over
from vmaftune.corpus.sources import VIDEO_SUFFIXES
from vmaftune.errors import UserError
from vmaftune.jobs.encode_streams import default_output
from vmaftune.jobs.options import EncodeOptions, HostOptions, SearchOptions
from vmaftune.jobs.session import DEFAULT_ENCODER, warn
from vmaftune.media.facts import shown
from vmaftune.nearest import meant
from vmaftune.state.regular import open_regular

MANIFEST_SUFFIX = ".csv"
OF_THE_RUN = frozenset((*get_type_hints(HostOptions), "vmaf_threads", "strict_plugins", "safe", "overwrite", "resume"))
"""Options that say what a job runs on, not what comes of it: those of the running batch, kept in no row."""

_OUTPUT_SUFFIX = ".mkv"
_FILE, _OUTPUT = "file", "output"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all files of a batch.

    Attributes:
        encoders: names of those that there are, by which encodes beside their sources are known.
        options: of the command line and the configuration, for files that have no others.
        folder: where encodes go, with the sub-folders that sources have below a folder that was named; None: beside their
            sources, as ``encode`` names them.
        encode: False searches alone.
        check: raises UserError where options cannot be met, whatever the source is.
        warn: takes what a person should know, one line at a time.
        elsewhere: other hosts write the encodes, so whether folders can be written to cannot be known here.
        safe: an encode that a table asks for lies below its folder or that of the outputs, wherever its source is.
    """

    encoders: frozenset[str]
    options: dict[str, Any]
    folder: Path | None
    encode: bool
    check: Callable[[Mapping[str, Any]], None] = lambda options: None
    warn: Callable[[str], None] = warn
    elsewhere: bool = False
    safe: bool = False

    def of(self, named: Sequence[Path]) -> list[Wanted]:
        """What is asked for with these files, folders and manifests, in the order named; each file once, unless a manifest asks
        for it several times.

        What can never succeed is found out here, before anything is queued: a row that fails stays in the queue.

        Raises:
            UserError: a file is not there or cannot be read, a manifest is wrong, a folder cannot be read or holds no video,
                two sources would have one output, an output cannot be written, or an option cannot be met by any source.
        """
        wanted: list[Wanted] = []
        self.check(self.options)
        for path in named:
            if path.suffix.lower() == MANIFEST_SUFFIX and not path.is_dir():
                wanted += self._manifest(path)
            elif path.is_dir():
                wanted += [self._wanted(file, file.relative_to(path)) for file in self._videos(path)]
            else:
                check_source(path)
                wanted.append(self._wanted(path, Path(path.name)))
        if not self.elsewhere:
            for folder in {one.output.parent: None for one in wanted if one.output is not None}:
                check_folder(folder)
        return _distinct(wanted)

    def _wanted(self, file: Path, below: Path) -> Wanted:
        return Wanted(file=file, output=self._output(file, below, self.options), options=self.options)

    def _output(self, file: Path, below: Path, options: Mapping[str, Any]) -> Path | None:
        if not self.encode:
            return None
        if self.folder is None:
            return default_output(file, options.get("encoder") or DEFAULT_ENCODER)
        return self.folder / below.with_suffix(_OUTPUT_SUFFIX)

    def _videos(self, folder: Path) -> list[Path]:
        """Videos in a folder and those below it, without hidden ones and what a batch made."""
        inside = None if self.folder is None else self.folder.resolve()
        files = sorted(path for path in self._below(folder) if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
        made = [[f".{name}"] for name in self.encoders]
        videos = [
            file
            for file in files
            if not any(part.startswith(".") for part in file.relative_to(folder).parts)
            and file.suffixes[-2:-1] not in made
            and not (inside is not None and inside != folder.resolve() and file.resolve().is_relative_to(inside))
        ]
        if not videos:
            raise UserError(f"{shown(folder)} holds no video")
        return videos

    def _below(self, folder: Path) -> Iterator[Path]:
        """All that lies in a folder and those below it; one of those that cannot be read is passed over with a warning."""

        def unreadable(error: OSError) -> None:
            if Path(error.filename) == folder:
                raise UserError(f"cannot read the folder {shown(folder)}: {error.strerror}") from error
            self.warn(
                f"cannot read the folder {shown(error.filename)}: {error.strerror}; what it holds is not in the batch"
            )

        for place, _, names in os.walk(folder, onerror=unreadable):
            yield from (Path(place, name) for name in names)

    def _manifest(self, path: Path) -> Iterator[Wanted]:
        types = {
            k: v
            for k, v in get_type_hints(EncodeOptions if self.encode else SearchOptions).items()
            if k not in OF_THE_RUN
        }
        looked_at: set[str] = set()
        root = path.parent if self.folder is None else self.folder
        number = 0
        for number, cells in _rows(path, {_FILE, _OUTPUT, *types}):
            with _at(f"{shown(path)}, line {number}"):
                if not cells.get(_FILE):
                    raise UserError("no file is named")
                file = path.parent / cells[_FILE]
                own = {name: _value(cells[name], types[name], name) for name in types if cells.get(name)}
                options = laid_over(self.options, own)
                check_source(file)
                if (key := repr(options)) not in looked_at:
                    looked_at.add(key)
                    self.check(options)
                output = self._output(file, Path(file.name), options)
                if output is not None and cells.get(_OUTPUT):
                    output = root / cells[_OUTPUT]
                    check_output(output, root)
                elif output is not None and (self.safe or self.folder is not None):
                    check_output(output, root)
            yield Wanted(file=file, output=output, options=options)
        if not number:
            raise UserError(f"{shown(path)} names no file")


def merged(options: Mapping[str, Any], configured: msgspec.Struct) -> dict[str, Any]:
    """Options of a row: those given, then those of the configuration, as JSON values. A row then says itself what it asks for,
    whatever the configuration is when it is done."""
    given = {name: value for name, value in options.items() if value not in (None, (), [])}
    kept = {name: value for name, value in msgspec.structs.asdict(configured).items() if value is not None}
    both = {name: value for name, value in laid_over(kept, given).items() if name not in OF_THE_RUN}
    return {name: str(value) if isinstance(value, Path) else value for name, value in sorted(both.items())}


def _rows(path: Path, known: set[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row of a CSV file."""
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            columns = [str(name).strip().replace("-", "_") for name in table.fieldnames or ()]
            if _FILE not in columns:
                raise UserError(f"{shown(path)} has no column {_FILE}; it has: {', '.join(columns) or 'none'}")
            if unknown := sorted(set(columns) - known):
                there = f"there is: {', '.join(sorted(known))}{meant(unknown[0], known)}"
                raise UserError(f"{shown(path)}: unknown column {unknown[0]!r}; {there}")
            table.fieldnames = columns
            for row in table:
                if None in row:
                    raise UserError(f"{shown(path)}, line {table.line_num}: more cells than columns")
                yield table.line_num, {name: (cell or "").strip() for name, cell in row.items()}
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{shown(path)} is no CSV file in UTF-8: {error}") from error
    except OSError as error:
        raise UserError(f"cannot read {shown(path)}: {error.strerror}") from error


@contextmanager
def _at(place: str) -> Iterator[None]:
    """What is wrong within says where."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{place}: {error}") from error


def _value(cell: str, kind: Any, name: str) -> Any:
    """A cell as its option takes it; a list is separated by blanks."""
    try:
        if "Sequence" in str(kind):
            return shlex.split(cell)
        return msgspec.convert(cell, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise UserError(f"{name} = {cell!r:.40}: {error}") from error


def _real(path: Path) -> Path:
    """One name of a place, however its folder was named."""
    return Path(os.path.realpath(path.parent), path.name)


def _distinct(wanted: Iterable[Wanted]) -> list[Wanted]:
    """Each once. Raises UserError where two differ and have one output, or an output is a source."""
    kept: list[Wanted] = []
    outputs: dict[Path, Wanted] = {}
    for one in wanted:
        if one.output is None:
            kept.append(one)
            continue
        other = outputs.setdefault(_real(one.output), one)
        if other is one:
            kept.append(one)
        elif (other.file.absolute(), other.options) != (one.file.absolute(), one.options):
            raise UserError(
                f"{shown(other.file)} and {shown(one.file)} would both become {shown(one.output)}: "
                "batch them apart, or name their outputs in a manifest"
            )
    for one in kept:
        if _real(one.file) in outputs:
            raise UserError(f"{shown(one.file)} would be overwritten by an encode: name another output folder with -o")
    return kept

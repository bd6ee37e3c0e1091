"""A corpus file: JSON Lines, one measured probe a row, appended whole and readable after any interruption."""

from __future__ import annotations

import gzip
import json
import math
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import msgspec
from filelock import FileLock, Timeout

from vmaftune import models
from vmaftune.contract.features import NAMES, SCHEMA_VERSION
from vmaftune.errors import UserError, VmafTuneError, file_error
from vmaftune.quality.scale import Scale
from vmaftune.state.regular import check_regular, open_regular

_GZIP = ".gz"
_ROW_BEGINS = b'{"source":"'
_PLACE = re.compile(r"(?:field `|`\$\.)(\w+)")
_VMAF = (0.0, 100.0)
_COUNT = (1, 10**9)
_BOUNDS = {
    **dict.fromkeys(("vmaf_mean", "vmaf_harmonic_mean", "vmaf_min", "vmaf_p5"), _VMAF),
    **dict.fromkeys(("frames", "width", "height"), _COUNT),
    **dict.fromkeys(("bitrate_kbps", "probe_seconds"), (0.0, math.inf)),
}


class CorpusRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One probe of one clip at one height.

    Attributes:
        source: identifier of the film or shoot; what training and evaluation are split by.
        kind: kind of content, such as ``animation``.
        encoder, preset, crf: the encode.
        features: in the order and units of vmaftune.contract.features.NAMES; NaN where one could not be measured.
        feature_schema: version of that schema.
        vmaf_mean, vmaf_harmonic_mean, vmaf_min, vmaf_p5: pooled over frames, 0 to 100.
        bitrate_kbps, frames: of the encode.
        probe_seconds: wall time of encode and score.
        width, height: pixels that were encoded, before the crop that even sizes need.
        ffmpeg, vmaf_model: versions that made the score.
        clip: the file the row is of, by its name without suffix; rows made before there were clips have their source's.
        scale: identity of the scale that ``vmaf_mean`` is of; empty is what the model column says, at automatic size.
    """

    source: str
    kind: str
    encoder: str
    preset: str | None
    crf: float
    features: tuple[float, ...]
    feature_schema: int
    vmaf_mean: float
    vmaf_harmonic_mean: float
    vmaf_min: float
    vmaf_p5: float
    bitrate_kbps: float
    frames: int
    probe_seconds: float
    width: int
    height: int
    ffmpeg: str
    vmaf_model: str
    clip: str = ""
    scale: str = ""

    def __post_init__(self) -> None:
        if not self.clip:
            msgspec.structs.force_setattr(self, "clip", self.source)

    @property
    def score_scale(self) -> Scale:
        """Of what scale ``vmaf_mean`` is. Raises ValueError where the row names none."""
        return Scale.named(self.scale) if self.scale else Scale(model=self.vmaf_model)

    @property
    def key(self) -> RowKey:
        """What no two rows of a corpus share."""
        return (self.clip, self.height, self.encoder, self.preset, self.crf)


RowKey = tuple[str, int, str, str | None, float]
"""Clip, height in pixels, encoder, preset, CRF."""


def read_rows(path: Path) -> list[CorpusRow]:
    """All rows of a corpus file, ``.jsonl`` or ``.jsonl.gz``.

    Raises:
        UserError: the file cannot be read, or a line of it is no row; the text names line and column.
    """
    return list(iterate_rows(path))


def iterate_rows(path: Path) -> Iterator[CorpusRow]:
    """The rows of a corpus file one by one, so that no more than one is held.

    Raises:
        UserError: as read_rows, when the iteration comes to it.
    """
    try:
        with open_regular(path) as file, gzip.open(file) if path.suffix == _GZIP else file as lines:
            yield from _rows(lines, path)
    except EOFError as error:
        raise UserError(f"cannot read the corpus {path}: it is cut short; is it complete?") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"cannot read the corpus {path}: it is no whole gzip file ({error})") from error
    except OSError as error:
        raise UserError(f"cannot read the corpus {path}: {error.strerror}") from error


def parse_rows(content: bytes, name: str) -> list[CorpusRow]:
    """All rows of the content of a ``.jsonl.gz`` file called ``name``. Raises as read_rows."""
    try:
        return list(_rows(gzip.decompress(content).splitlines(), Path(name)))
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{name} is no whole gzip file ({error})") from error


def model_rows(model: models.RegisteredModel) -> list[CorpusRow]:
    """The rows that a registered model was made from.

    Raises:
        VmafTuneError, UserError: as of models.load and parse_rows.
    """
    return parse_rows(models.read(model, model.data, model.data_sha256), model.data)


def packed(rows: Iterable[CorpusRow]) -> bytes:
    """The content of a ``.jsonl.gz`` file of these rows, in an order of their own: the same rows give the same bytes."""
    order = sorted(rows, key=lambda row: (row.encoder, row.preset or "", row.clip, row.height, row.crf))
    return gzip.compress(b"".join(msgspec.json.encode(row) + b"\n" for row in order), mtime=0)


class RowWriter:
    """Appends rows to a corpus file that no other process appends to meanwhile; used as a context manager.

    A half row that a killed run left at the end is cut off first. A file that is no corpus is left as it is.

    Attributes:
        rows: what the file held when it was opened.

    Raises:
        UserError: the file cannot be written, is no corpus, or another process is appending to it.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix == _GZIP:
            raise UserError(f"rows cannot be appended to {path}: name a file without {_GZIP}")
        self._path = path
        # The system frees it when the process dies, however it dies.
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_regular(path)  # an endless device would be read to its end; nor may a lock stand beside it
            self._lock.acquire(blocking=False)
            self._file = path.open("a+b")
        except Timeout as error:
            raise UserError(f"another process is measuring into {path}; wait for it, or name another file") from error
        except OSError as error:
            self._lock.release()
            raise file_error(f"cannot write the corpus {path}", error) from error
        try:
            self.rows = self._read()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, row: CorpusRow) -> None:
        """Write one row through to the disk.

        Raises:
            VmafTuneError: it could not be written; what was written of it is cut off by the next run.
        """
        try:
            self._file.write(msgspec.json.encode(row) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise VmafTuneError(f"cannot write the corpus {self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file, and let others append to it."""
        self._file.close()
        self._lock.release()

    def _read(self) -> list[CorpusRow]:
        """The rows there are, with the half row after them cut off."""
        whole, half = 0, b""

        def lines() -> Iterator[bytes]:
            nonlocal whole, half
            for line in self._file:
                if line.endswith(b"\n"):
                    whole += len(line)
                    yield line
                else:
                    half = line

        self._file.seek(0)
        rows = list(_rows(lines(), self._path))
        if half:
            try:  # an editor may have taken the last line's end
                rows += _rows([half], self._path)
                self._file.write(b"\n")
            except UserError as error:
                if half[: len(_ROW_BEGINS)] != _ROW_BEGINS[: len(half)]:
                    raise UserError(f"{self._path} is no corpus: name another file to write rows to") from error
                self._file.truncate(whole)
        return rows


def _rows(lines: Iterable[bytes], path: Path) -> Iterator[CorpusRow]:
    for number, line in enumerate(lines, 1):
        if not line.isspace():
            yield parse_row(line, f"{path}, line {number}")


def parse_row(line: bytes, place: str) -> CorpusRow:
    """One line of a corpus file.

    Raises:
        UserError: it is no row; the text begins with ``place`` and names the column.
    """
    try:
        values = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(_no_number(line, place) or f"{place} is no corpus row: {error}") from error
    listed = values.get("features") if isinstance(values, dict) else None
    if isinstance(listed, list):  # JSON has no NaN: what could not be measured is null there
        values = {**values, "features": [math.nan if value is None else value for value in listed]}
    try:
        row = msgspec.convert(values, CorpusRow)
    except msgspec.ValidationError as error:
        found = _PLACE.search(str(error))
        column = f", column {found[1]}" if found else ""
        raise UserError(f"{place}{column} is no corpus row: {str(error).partition(' - at ')[0]}") from error
    for column, (least, most) in _BOUNDS.items():
        if not least <= getattr(row, column) <= most:
            raise UserError(f"{place}, column {column}: {getattr(row, column)!s:.20} must be {least:g} to {most:g}")
    try:
        pool = row.score_scale.pool
    except ValueError as error:
        raise UserError(f"{place}, column scale: {error}") from error
    if pool != "mean":
        raise UserError(f"{place}, column scale: {row.scale!r:.80} must be that of the mean over frames")
    if row.feature_schema == SCHEMA_VERSION and len(row.features) != len(NAMES):
        raise UserError(
            f"{place}, column features: {len(row.features)} values where schema {SCHEMA_VERSION} has {len(NAMES)}"
        )
    return row


def _no_number(line: bytes, place: str) -> str | None:
    """What is wrong where Python's decoder reads the line: it takes NaN, Infinity and 1e999, which JSON has not."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    for column, value in values.items() if isinstance(values, dict) else ():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, float) and not math.isfinite(one):
                return f"{place}, column {column}: {one} is no number that a row can hold"
    return None

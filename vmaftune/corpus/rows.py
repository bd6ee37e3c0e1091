"""A corpus file: JSON Lines, one measured probe a row, appended whole and readable after any interruption."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from vmaftune.errors import UserError


class CorpusRow(msgspec.Struct, frozen=True, kw_only=True):
    """One probe of one source.

    Attributes:
        source: identifier of the film or shoot; what training and evaluation are split by.
        kind: kind of content, such as ``animation``.
        encoder, preset, crf: the encode.
        features: in the order of vmaftune.features.schema.NAMES.
        feature_schema: version of that schema.
        vmaf_mean, vmaf_harmonic_mean, vmaf_min, vmaf_p5: pooled over frames.
        bitrate_kbps, frames: of the encode.
        probe_seconds: wall time of encode and score.
        width, height: pixels of the source.
        ffmpeg, vmaf_model: versions that made the score.
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


def read_rows(path: Path) -> list[CorpusRow]:
    """All rows of a corpus file.

    Raises:
        UserError: the file cannot be read, or a line of it is no row.
    """
    try:
        with path.open("rb") as file:
            return list(_rows(file.read().splitlines(), path))
    except OSError as error:
        raise UserError(f"cannot read the corpus {path}: {error.strerror}") from error


def _rows(lines: list[bytes], path: Path) -> Iterator[CorpusRow]:
    decoder = msgspec.json.Decoder(CorpusRow)
    for number, line in enumerate(lines, 1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            raise UserError(f"{path}, line {number} is no corpus row: {error}") from error


class RowWriter:
    """Appends rows; a half row that a killed run left at the end is cut off first.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._cut_half_row()
        except OSError as error:
            raise UserError(f"cannot write the corpus {path}: {error.strerror}") from error

    def append(self, row: CorpusRow) -> None:
        """Write one row through to the disk."""
        self._file.write(msgspec.json.encode(row) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _cut_half_row(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)

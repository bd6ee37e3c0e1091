"""Segments of the spool: append-only files, one record a line, each with its checksum.

A line is the CRC-32 of the JSON in hexadecimal, a space, and the JSON of a sample. What a kill or a power cut left at the end
of a file is no such line, and is cut off; a line that rotted in the middle is passed over, and its neighbours are not lost.
The name of a segment says how many samples came before its first.
"""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import msgspec

from vmaftune.contract.learner import Sample

_NAME = re.compile(r"segment-(\d{15})\.ndjson")
_PREFIX = 9  # eight digits and a space
_samples = msgspec.json.Decoder(Sample)


def record(sample: Sample) -> bytes:
    """The line of a sample."""
    content = msgspec.json.encode(sample)
    return b"%08x %b\n" % (zlib.crc32(content), content)


def parsed(line: bytes) -> Sample | None:
    """The sample of a line without its end; None where it is none."""
    content = line[_PREFIX:]
    if line[:_PREFIX] != b"%08x " % zlib.crc32(content):
        return None
    try:
        return _samples.decode(content)
    except (ValueError, RecursionError):
        return None


def segment_path(folder: Path, first: int) -> Path:
    """Where the segment is kept whose first sample has ``first`` before it."""
    return folder / f"segment-{first:015d}.ndjson"


def find_segments(folder: Path) -> list[tuple[int, Path]]:
    """Number of samples before it, and path, of every segment; the oldest first."""
    named = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in named if match)


def read_segment(path: Path) -> tuple[list[Sample | None], int]:
    """Its samples, None for a line that rotted, and the length in bytes up to the end of the last sample."""
    content = path.read_bytes()
    *lines, torn = content.split(b"\n")
    found = [parsed(line) for line in lines]
    length = len(content) - len(torn)
    while found and found[-1] is None:
        found.pop()
        length -= len(lines[len(found)]) + 1
    return found, length


def sync_file(handle: int) -> None:
    """Make what was written to a file durable. Its times need not be; macOS cannot tell the two apart."""
    getattr(os, "fdatasync", os.fsync)(handle)


def sync_folder(folder: Path) -> None:
    """Make names that were added to or taken from a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

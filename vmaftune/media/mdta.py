"""Tags in .mp4 and .mov under names of any kind, the way Apple's and Android's cameras write them: a box ``meta`` in ``moov``.

ffmpeg writes the tags that have names of their own where players look for them, or, with ``use_metadata_tags``, all tags
in this box and none where players look. Here the others are put beside those.

Source: QuickTime File Format, "Metadata" (boxes ``meta``, ``hdlr`` of the type ``mdta``, ``keys``, ``ilst``, ``data``).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_UTF8 = 1  # the type of a value
_MOST = 1 << 20  # bytes of tags; 32-bit sizes hold more, and no file has so many


def append_tags(file: Path, tags: Mapping[str, str]) -> bool:
    """Add tags to a file whose last box is ``moov``, as ffmpeg writes it unless told otherwise.

    Nothing that stands before them moves, so that the places of pictures and sound in the file stay what they are.

    Returns:
        False where the file is not such, and is left as it was.

    Raises:
        OSError: it cannot be written.
    """
    box = _meta({key: value.encode("utf-8", "surrogateescape") for key, value in tags.items()})
    with file.open("r+b") as opened:
        end = opened.seek(0, 2)
        place = _last_box(opened, end)
        if place is None or len(box) > _MOST or end - place + len(box) >= 1 << 32:
            return False
        opened.seek(end)
        opened.write(box)
        opened.seek(place)
        opened.write(struct.pack(">I", end - place + len(box)))
    return True


def _last_box(opened: BinaryIO, end: int) -> int | None:
    """Where ``moov`` begins, if it is the last box, has a 32-bit size and no such tags yet; else None."""
    place = 0
    while place < end:
        opened.seek(place)
        header = opened.read(16)
        if len(header) < 8:
            return None
        size, name = struct.unpack(">I4s", header[:8])
        if name == b"moov" and place + size == end:
            opened.seek(place)
            return None if b"hdlr\0\0\0\0\0\0\0\0mdta" in opened.read(size) else place
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack(">Q", header[8:])
        if size < 8:
            return None
        place += size
    return None


def _meta(tags: Mapping[str, bytes]) -> bytes:
    keys = b"".join(_box(b"mdta", key.encode("utf-8", "surrogateescape")) for key in tags)
    values = (
        _box(struct.pack(">I", number), _box(b"data", struct.pack(">II", _UTF8, 0) + value))
        for number, value in enumerate(tags.values(), start=1)
    )
    return _box(
        b"meta",
        _box(b"hdlr", bytes(8) + b"mdta" + bytes(12) + b"\0")
        + _box(b"keys", struct.pack(">II", 0, len(tags)) + keys)
        + _box(b"ilst", b"".join(values)),
    )


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content

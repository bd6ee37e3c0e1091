"""Who a source is, by content: the same film under another name or date has the same fingerprint."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from vmaftune.state.store import Store

_BLOCK_BYTES = 256 * 1024
_BLOCKS = 64
_ALL_AT_ONCE_BYTES = 2**30
"""Of a file up to this size everything is hashed when it is first seen: one to two seconds."""

_UNSURE_NS = 3 * 10**9
"""A file that was written to so shortly ago may be written to again without another time: file systems count in up to two
seconds."""

_KNOWN, _SEEN = "source", "source-seen"


def fingerprint(path: Path, store: Store) -> str:
    """The content of a file as a name of 40 hexadecimal digits: two files that differ anywhere have two names.

    It is the BLAKE2b hash of everything, which takes a second for some 0.5 to 1 GB, and is kept by size, modification time (in
    ns) and a hash of 64 blocks of 256 KiB spread over the file; where these are what they were, nothing else is read. A file
    above 1 GiB that was never seen is not read to its end: its name is made of just these, since no other could be mistaken
    for it. Should another one with the same blocks come, or the same with another time, all of that one is hashed.

    Args:
        store: where it is kept what was hashed.

    Raises:
        OSError: it could not be read.
    """
    status = path.stat()
    large = status.st_size > _ALL_AT_ONCE_BYTES
    blocks = _hashed(path, status.st_size, everything=False)
    # To hash all of a small file again costs little, so that a tool which sets the time back does not deceive us either.
    stamp = f"{blocks}-{status.st_mtime_ns}" if large else f"{blocks}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    settled = abs(time.time_ns() - status.st_mtime_ns) > _UNSURE_NS
    if settled and (known := store.get(_KNOWN, stamp, str)) is not None:
        return known
    if large and settled and store.get(_SEEN, blocks, bool) is None:
        content = hashlib.blake2b(stamp.encode(), digest_size=20).hexdigest()
    else:
        content = _hashed(path, status.st_size, everything=True)
    if settled and stamp_of(path) == _stamp(status):
        with store.together():
            store.put(_SEEN, blocks, True)
            store.put(_KNOWN, stamp, content)
    return content


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Another one means that the file was written to, or replaced. Raises OSError."""
    return _stamp(path.stat())


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _hashed(path: Path, size: int, *, everything: bool) -> str:
    digest = hashlib.blake2b(size.to_bytes(8, "big"), digest_size=20)
    with path.open("rb") as file:
        if everything or size <= _BLOCKS * _BLOCK_BYTES:
            while block := file.read(4 * _BLOCK_BYTES):
                digest.update(block)
        else:
            for block_number in range(_BLOCKS):
                file.seek(block_number * (size - _BLOCK_BYTES) // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()

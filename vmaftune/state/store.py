"""The cache: scored probes, features of sources and what ffmpeg can do, in one SQLite file.

SQLite because several processes share it, a killed one leaves it whole, and it comes with Python.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import TypeVar

import msgspec

from vmaftune.state import atomic

Record = TypeVar("Record")

_SCHEMA_VERSION = 1
_BUSY_SECONDS = 20.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  kind TEXT NOT NULL, key TEXT NOT NULL, part REAL NOT NULL, record BLOB NOT NULL, saved REAL NOT NULL,
  PRIMARY KEY (kind, key, part)
) WITHOUT ROWID;
"""


class Store:
    """Records by kind and key; a family of records (the probes of one curve) shares a key and differs in ``part``.

    A store that cannot be opened or written never stops a run: it goes on in memory and ``problem`` says why.

    Attributes:
        path: the file, or None for a store in memory.
        problem: why nothing is kept after this run, in words; None when all is well.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problem: str | None = None
        self._database = self._open()

    def get(self, kind: str, key: str, record_type: type[Record], part: float = 0.0) -> Record | None:
        """The record, or None when there is none or it was written by another version of us."""
        rows = self._read("SELECT record FROM entries WHERE kind = ? AND key = ? AND part = ?", kind, key, part)
        return _decoded(rows[0][0], record_type) if rows else None

    def family(self, kind: str, key: str, record_type: type[Record]) -> dict[float, Record]:
        """All records of a family by their part (the CRF of a probe), in rising order."""
        rows = self._read("SELECT part, record FROM entries WHERE kind = ? AND key = ? ORDER BY part", kind, key)
        decoded = ((part, _decoded(blob, record_type)) for part, blob in rows)
        return {part: record for part, record in decoded if record is not None}

    def put(self, kind: str, key: str, record: object, part: float = 0.0) -> None:
        """Keep a record, in place of the one of the same kind, key and part."""
        row = (kind, key, part, msgspec.msgpack.encode(record, enc_hook=_encode_other), time.time())
        try:
            with self._database:
                self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            self.problem = f"cannot write the cache {self.path}: {error}; nothing is kept after this run"
            self._database = _in_memory()

    def counts(self) -> dict[str, int]:
        """How many records of each kind there are."""
        return dict(self._read("SELECT kind, COUNT(*) FROM entries GROUP BY kind"))

    def clear(self) -> int:
        """Forget everything; returns how many records there were.

        Raises:
            sqlite3.Error: it could not be written.
        """
        with self._database:
            removed = self._database.execute("DELETE FROM entries").rowcount
        self._database.execute("VACUUM")
        return removed

    def close(self) -> None:
        """Close the file; the store is not used afterwards."""
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            return _in_memory()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self._open_file(self.path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not self.path.is_file():
                return self._open_instead(str(error))
        except OSError as error:
            return self._open_instead(error.strerror or str(error))
        try:  # the file is no database, or one of a later version
            aside = atomic.set_aside(self.path, "unreadable")
            database = self._open_file(self.path)
        except (OSError, sqlite3.Error) as error:
            return self._open_instead(str(error))
        self.problem = f"the cache could not be read; it was set aside as {aside} and a new one begun"
        return database

    def _open_instead(self, why: str) -> sqlite3.Connection:
        self.problem = f"cannot use the cache {self.path}: {why}; nothing is kept after this run"
        return _in_memory()

    def _open_file(self, path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _SCHEMA_VERSION):
                raise sqlite3.DatabaseError(f"schema version {version}")
            if version == 0:
                with database:
                    database.executescript(_SCHEMA)
                    database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            with database:  # find out now, not after the first probe, whether it can be written
                database.execute("BEGIN IMMEDIATE")
        except BaseException:
            database.close()
            raise
        return database

    def _read(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with contextlib.suppress(sqlite3.Error):
            return self._database.execute(query, values).fetchall()
        return []


def _in_memory() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(_SCHEMA)
    return database


def _decoded(blob: bytes, record_type: type[Record]) -> Record | None:
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.msgpack.decode(blob, type=record_type, dec_hook=_decode_other)
    return None


def _encode_other(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot keep a {type(value).__name__}")


def _decode_other(wanted: type, value: object) -> object:
    return wanted(value)

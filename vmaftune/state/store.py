"""The cache: scored probes, features of sources and what ffmpeg can do, in one SQLite file.

SQLite because several processes share it, a killed one leaves it whole, and it comes with Python.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from filelock import FileLock, Timeout

from vmaftune.state import atomic

Record = TypeVar("Record")

_SCHEMA_VERSION = 1
_BUSY_SECONDS = 20.0
_CHECKSUM_BYTES = 8
_PUT = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  kind TEXT NOT NULL, key TEXT NOT NULL, part REAL NOT NULL, record BLOB NOT NULL, saved REAL NOT NULL,
  PRIMARY KEY (kind, key, part)
) WITHOUT ROWID;
"""


class Store:
    """Records by kind and key; a family of records (the probes of one curve) shares a key and differs in ``part``.

    A store that cannot be opened or written never stops a run: it goes on in memory and ``problem`` says why. A file
    that is no database is set aside, not deleted, and a new one begun. Each record has a checksum of itself and of its
    place: one that rotted, or that stands where it was not put, is not there.

    Args:
        path: the file; None for a store in memory.
        warn: told of every problem once, when it is met.

    Attributes:
        path: as given.
        problem: what was wrong with the file, in words; None when all is well.
        lasting: whether records are kept after this run.
    """

    def __init__(self, path: Path | None, warn: Callable[[str], None] = lambda text: None) -> None:
        self.path = path
        self.problem: str | None = None
        self.lasting = path is not None
        self._warn = warn
        self._held: list[tuple[object, ...]] | None = None
        self._database = self._open()

    def get(self, kind: str, key: str, record_type: type[Record], part: float = 0.0) -> Record | None:
        """The record, or None when there is none, it is damaged, or it was written by another version of us."""
        rows = self._read("SELECT record FROM entries WHERE kind = ? AND key = ? AND part = ?", kind, key, part)
        return _decoded(kind, key, part, rows[0][0], record_type) if rows else None

    def family(self, kind: str, key: str, record_type: type[Record]) -> dict[float, Record]:
        """All records of a family by their part (the CRF of a probe), in rising order."""
        rows = self._read("SELECT part, record FROM entries WHERE kind = ? AND key = ? ORDER BY part", kind, key)
        decoded = ((part, _decoded(kind, key, part, blob, record_type)) for part, blob in rows)
        return {part: record for part, record in decoded if record is not None}

    def keys(self, kind: str) -> list[str]:
        """The keys that have records of a kind."""
        return [key for (key,) in self._read("SELECT DISTINCT key FROM entries WHERE kind = ? ORDER BY key", kind)]

    def put(self, kind: str, key: str, record: object, part: float = 0.0) -> None:
        """Keep a record, in place of the one of the same kind, key and part."""
        content = msgspec.msgpack.encode(record, enc_hook=_encode_other)
        row = (kind, key, part, _checksum(kind, key, part, content) + content, time.time())
        if self._held is not None:
            self._held.append(row)
        else:
            self._write(_PUT, [row])

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is put within is kept at the end, all of it or nothing; nothing where an exception ends it."""
        held: list[tuple[object, ...]] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
        if held:
            self._write(_PUT, held)

    def remove(self, kind: str, key: str, part: float = 0.0) -> None:
        """Forget one record."""
        self._write("DELETE FROM entries WHERE kind = ? AND key = ? AND part = ?", [(kind, key, part)])

    def counts(self) -> dict[str, int]:
        """How many records of each kind there are."""
        return dict(self._read("SELECT kind, COUNT(*) FROM entries GROUP BY kind"))

    def clear(self, keep: str = "") -> int:
        """Forget everything but one kind; returns how many records there were.

        Raises:
            sqlite3.Error: it could not be written.
        """
        with self._database:
            removed = self._database.execute("DELETE FROM entries WHERE kind != ?", (keep,)).rowcount
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
        except sqlite3.Error as error:
            return self._open_anew(self.path, error) if _is_damage(error) else self._open_instead(str(error))
        except OSError as error:
            return self._open_instead(error.strerror or str(error))

    def _open_anew(self, path: Path, why: sqlite3.Error | UnicodeError) -> sqlite3.Connection:
        """Set a damaged file aside, unless another process has done so since, and begin a new one."""
        try:
            with FileLock(path.with_name(f"{path.name}.lock"), timeout=_BUSY_SECONDS):
                try:
                    return self._open_file(path, thoroughly=True)
                except sqlite3.DatabaseError as error:
                    if not _is_damage(error):
                        raise
                aside = atomic.set_aside(path, "unreadable")
                database = self._open_file(path)
        except (OSError, sqlite3.Error, Timeout) as error:
            return self._open_instead(str(error))
        self._tell(f"the cache {path} cannot be read ({why}); it was set aside as {aside.name} and a new one begun")
        return database

    def _open_instead(self, why: str) -> sqlite3.Connection:
        self.lasting = False
        self._tell(f"cannot use the cache {self.path}: {why}; nothing is kept after this run")
        return _in_memory()

    def _give_up(self, error: sqlite3.Error | UnicodeError) -> None:
        """Go on without the file that failed in use: with a new one where it is damaged, else in memory."""
        self._database.close()
        damaged = self.lasting and self.path is not None and _is_damage(error)
        self._database = self._open_anew(self.path, error) if damaged and self.path else self._open_instead(str(error))

    def _tell(self, problem: str) -> None:
        self.problem = problem
        self._warn(problem)

    def _open_file(self, path: Path, *, thoroughly: bool = False) -> sqlite3.Connection:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        database.text_factory = _text
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _SCHEMA_VERSION):
                raise sqlite3.DatabaseError(f"it is of version {version}, this is {_SCHEMA_VERSION}")
            if thoroughly and database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("it is damaged")
            if version == 0:
                with database:
                    database.executescript(_SCHEMA)
                    database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            database.execute("SELECT kind, key, part, record, saved FROM entries LIMIT 1").fetchone()
            with database:  # find out now, not after the first probe, whether it can be written
                database.execute("BEGIN IMMEDIATE")
        except UnicodeError as error:  # SQLite's own words name what rotted
            database.close()
            raise sqlite3.DatabaseError("it is damaged") from error
        except BaseException:
            database.close()
            raise
        return database

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            self._give_up(error)
            return []

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        for _ in range(2):
            try:
                with self._database:
                    self._database.executemany(statement, rows)
                return
            except (sqlite3.Error, UnicodeError) as error:
                self._give_up(error)


def _is_damage(error: sqlite3.Error | UnicodeError) -> bool:
    """The file itself is at fault, not the disk, its permissions or a lock: sqlite3's subclasses are for those, but for a
    table that is not as we made it."""
    if isinstance(error, sqlite3.OperationalError):
        return any(words in str(error) for words in ("no such table", "no such column", "has no column", "malformed"))
    others = (sqlite3.IntegrityError, sqlite3.DataError, UnicodeError)  # the last of SQLite's own words
    return type(error) is sqlite3.DatabaseError or isinstance(error, others)


def _in_memory() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(_SCHEMA)
    return database


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _checksum(kind: str, key: str, part: float, content: bytes) -> bytes:
    place = f"{kind}\0{key}\0{float(part)!r}\0".encode()
    return hashlib.blake2b(place + content, digest_size=_CHECKSUM_BYTES).digest()


def _decoded(kind: str, key: str, part: object, blob: object, record_type: type[Record]) -> Record | None:
    """The record of a row; None for one that rotted. Rows have a checksum, so what is decoded is what was put."""
    if not (isinstance(blob, bytes) and isinstance(part, float | int)):  # a cell of SQLite may hold anything
        return None
    checksum, content = blob[:_CHECKSUM_BYTES], blob[_CHECKSUM_BYTES:]
    if checksum != _checksum(kind, key, part, content):
        return None
    with contextlib.suppress(ValueError, TypeError, RecursionError):  # msgspec's errors are ValueErrors too
        return msgspec.msgpack.decode(content, type=record_type, dec_hook=_decode_other)
    return None


def _encode_other(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot keep a {type(value).__name__}")


def _decode_other(wanted: type, value: object) -> object:
    return wanted(value)

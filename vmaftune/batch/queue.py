"""The durable queue: one SQLite file that several batches may work off together, and that a killed one leaves whole.

A row that runs names its owner, a batch that holds a lock file beside the queue. The system frees the lock when that process
dies, however it dies, so a row whose owner's lock is free goes back to the queue. Process ids are reused; locks are not.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from vmaftune.batch.messages import Named, Result
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.json_text import encoded
from vmaftune.media.facts import shown
from vmaftune.state.regular import check_regular

STATES = ("queued", "running", "done", "failed")
_SCHEMA_VERSION = 2
_BUSY_SECONDS = 60.0
_LOSSES_BORNE = 1
"""A job whose process dies may be at fault, or may have been killed: it is begun again this often."""

_SCHEMA = """
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,     -- what makes it the same work when it is asked for again
  file BLOB NOT NULL,           -- names are bytes: they need not be UTF-8
  output BLOB,
  options TEXT NOT NULL,        -- JSON
  stamp TEXT NOT NULL,          -- size and time of the file as it was enqueued
  state TEXT NOT NULL,
  owner TEXT,
  begun INTEGER NOT NULL,       -- whether it ran since it was enqueued: an output that is there may then be its own
  losses INTEGER NOT NULL,      -- how often its process died
  work REAL,                    -- pixels to encode and score, NULL while nobody has looked
  code INTEGER, reason TEXT, report TEXT, seconds REAL, ended REAL,
  warnings TEXT                 -- JSON, NULL where there are none
);
CREATE INDEX by_state ON jobs (state, id);
"""
_OF_VERSION_2 = "ALTER TABLE jobs ADD COLUMN warnings TEXT"
_COLUMNS = "id, file, output, options, state, begun, losses, work, code, reason, report, seconds, warnings"
_QUEUED = "state = 'queued', begun = 0, losses = 0, code = NULL, reason = NULL, warnings = NULL"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: a source, the output of its encode (None: a search alone), and options of vmaftune.jobs.options."""

    file: Path
    output: Path | None
    options: dict[str, Any]


class Row(Named, frozen=True, kw_only=True):
    """One job as the queue holds it; fields as of its columns."""

    id: int
    options: dict[str, Any]
    state: str
    begun: bool
    losses: int
    work: float | None
    code: int | None
    reason: str | None
    report: dict[str, Any] | None
    seconds: float | None
    warnings: list[str] = msgspec.field(default_factory=list)


class Enqueued(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was asked for: how many are new, queued again since something changed, done, or failed before."""

    ids: list[int]
    new: int = 0
    changed: int = 0
    done: int = 0
    failed: int = 0


class Queue:
    """A queue on the disk of this host, as one process works with it.

    Args:
        path: its file, made when it is not there. SQLite's log needs a file system of this machine, not one of the network.

    Raises:
        VmafTuneError: it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: str | None = None
        self._lock: FileLock | None = None
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            check_regular(path)
            self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._database.text_factory = lambda content: content.decode("utf-8", "replace")
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        """Rows that still run under this process go back to the queue; it is not used afterwards."""
        try:
            if self._owner is not None:
                with self._changing():
                    self._give_back(self._owner)
        finally:
            if self._lock is not None:
                Path(self._lock.lock_file).unlink(missing_ok=True)
                self._lock.release()
            self._database.close()

    # --- Asking for work ---

    def add(self, wanted: Sequence[Wanted], *, overwrite: bool = False) -> Enqueued:
        """Enqueue files in this order, all or none. What is there already is not added again.

        Done work is done again where its options, its source or its output is not what it was; failed work stays as it is.

        Args:
            overwrite: outputs may be there already, so work that failed and whose output is there is done again.

        Raises:
            UserError: two would write one output.
        """
        counts = {"new": 0, "changed": 0, "done": 0, "failed": 0}
        ids = []
        with self._changing():
            for one in wanted:
                found, what = self._add(one, overwrite)
                ids.append(found)
                if what:
                    counts[what] += 1
        return Enqueued(ids=list(dict.fromkeys(ids)), **counts)

    def retry(self, ids: Iterable[int] | None) -> int:
        """Put rows back into the queue, whatever became of them; None: all that failed. How many that were."""
        with self._changing():
            if ids is None:
                return self._run(f"UPDATE jobs SET {_QUEUED} WHERE state = 'failed'").rowcount
            sets = f"UPDATE jobs SET {_QUEUED} WHERE id = ? AND state IN ('done', 'failed')"
            return sum(self._run(sets, one).rowcount for one in ids)

    def clear(self, states: Sequence[str]) -> int:
        """Forget the rows in these states; no file is touched. How many that were."""
        marks = ",".join("?" * len(states))
        with self._changing():
            return self._run(f"DELETE FROM jobs WHERE state IN ({marks})", *states).rowcount

    # --- Doing it ---

    def claim(self, ids: Sequence[int] | None) -> Row | None:
        """The first queued row, which is this process's from now on; None where there is none.

        Args:
            ids: only of these; None: of all.
        """
        owner = self._own()
        only = self._scope(ids)
        with self._changing():
            found = self._run(f"SELECT id FROM jobs WHERE state = 'queued' {only} ORDER BY id LIMIT 1").fetchone()
            if found is None:
                return None
            row = self._row(found[0])
            self._run("UPDATE jobs SET state = 'running', owner = ? WHERE id = ?", owner, row.id)
            return row

    def begin(self, id_: int) -> None:
        """The claimed job runs now: an output that is there from here on may be its own, cut short of being recorded."""
        with self._changing():
            self._run("UPDATE jobs SET begun = 1 WHERE id = ? AND owner = ?", id_, self._own())

    def end(self, id_: int, result: Result) -> bool:
        """Record what became of a claimed row; False where it is not this process's any more."""
        report = None if result.report is None else encoded(result.report).decode()
        warnings = encoded(result.warnings).decode() if result.warnings else None
        state = "failed" if result.code else "done"
        values = (state, result.code, result.reason, report, result.seconds, time.time(), warnings)
        sets = "state = ?, code = ?, reason = ?, report = ?, seconds = ?, ended = ?, warnings = ?, owner = NULL"
        with self._changing():
            return (
                self._run(f"UPDATE jobs SET {sets} WHERE id = ? AND owner = ?", *values, id_, self._own()).rowcount == 1
            )

    def lost(self, id_: int, reason: str) -> bool:
        """The process of a claimed row died: whether it is queued again. One that dies again has failed."""
        with self._changing():
            losses = self._run("SELECT losses FROM jobs WHERE id = ?", id_).fetchone()[0] + 1
            if losses <= _LOSSES_BORNE:
                again = "UPDATE jobs SET state = 'queued', owner = NULL, losses = ? WHERE id = ? AND owner = ?"
                self._run(again, losses, id_, self._own())
                return True
        self.end(id_, Result(code=1, reason=reason))
        return False

    def recover(self) -> int:
        """Put back what runs under processes that are dead; how many rows that were."""
        rows = 0
        owners = {owner for (owner,) in self._run("SELECT DISTINCT owner FROM jobs WHERE state = 'running'")}
        owners |= {path.name.split(".")[-2] for path in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.owner")}
        for owner in owners - {self._owner}:
            lock = FileLock(self._owner_file(owner))
            with contextlib.suppress(Timeout, OSError):  # a lock of another user, as of a batch under sudo, stays
                lock.acquire(blocking=False)
                with self._changing():
                    rows += self._give_back(owner)
                Path(lock.lock_file).unlink(missing_ok=True)
                lock.release()
        return rows

    # --- Looking ---

    def rows(self, ids: Sequence[int] | None = None, states: Sequence[str] = STATES) -> Iterator[Row]:
        """Rows in these states, in their order; those of ``ids``, or all."""
        only = self._scope(ids)
        marks = ",".join("?" * len(states))
        query = f"SELECT {_COLUMNS} FROM jobs WHERE state IN ({marks}) {only} ORDER BY id"
        return (self._read_row(values) for values in self._fetched(query, *states))

    def counts(self, ids: Sequence[int] | None = None) -> dict[str, int]:
        """Rows by state; those of ``ids``, or all."""
        query = f"SELECT state, COUNT(*) FROM jobs WHERE TRUE {self._scope(ids)} GROUP BY state"
        found = dict(self._fetched(query))
        return {state: found.get(state, 0) for state in STATES}

    def unknown_work(self) -> Row | None:
        """A queued row whose work nobody knows."""
        found = self._run("SELECT id FROM jobs WHERE state = 'queued' AND work IS NULL ORDER BY id LIMIT 1").fetchone()
        return None if found is None else self._row(found[0])

    def set_work(self, id_: int, work: float) -> None:
        """How many pixels a row is to encode and score; 0 where that cannot be known."""
        with self._changing():
            self._run("UPDATE jobs SET work = ? WHERE id = ?", work, id_)

    def left(self, ids: Sequence[int] | None) -> tuple[int, float, int]:
        """Queued rows: how many, the work of those where it is known, and how many those are."""
        only = self._scope(ids)
        query = f"SELECT COUNT(*), COALESCE(SUM(work), 0.0), COUNT(work) FROM jobs WHERE state = 'queued' {only}"
        found: tuple[int, float, int] = self._run(query).fetchone()
        return found

    # --- Within ---

    def _prepare(self) -> None:
        self._run("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = FULL")  # a power cut loses no result that was told of
        self._run("CREATE TEMP TABLE scope (id INTEGER PRIMARY KEY)")
        self._scoped: Sequence[int] | None = None
        with self._changing():
            version = self._run("PRAGMA user_version").fetchone()[0]
            if version == 1:
                self._run(_OF_VERSION_2)
                self._run(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            elif version not in (0, _SCHEMA_VERSION):
                raise UserError(
                    f"the queue {self.path} is of version {version}, this is {_SCHEMA_VERSION}: name another --queue"
                )
            if version == 0:
                if self._run("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
                    raise UserError(f"{self.path} is no queue of vmaf-tune: name another file with --queue")
                for statement in _SCHEMA.split(";"):
                    self._run(statement)
                self._run(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def _add(self, wanted: Wanted, overwrite: bool) -> tuple[int, str | None]:
        file = os.fsencode(wanted.file.absolute())
        output = None if wanted.output is None else os.fsencode(wanted.output.absolute())
        options = encoded(wanted.options).decode()
        key, stamp = _key(file, output, options), _stamp(wanted.file)
        query = "SELECT id, file, options, stamp, state FROM jobs WHERE key = ?"
        there = self._run(query, key).fetchone()
        if there is None:
            names = "key, file, output, options, stamp, state, begun, losses"
            values = (key, file, output, options, stamp, "queued", 0, 0)
            return self._run(
                f"INSERT INTO jobs ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values
            ).lastrowid or 0, "new"
        id_, its_file, its_options, its_stamp, state = there
        if its_file != file:
            raise UserError(
                f"{shown(wanted.file)} and {shown(os.fsdecode(its_file))} would both become "
                f"{shown(wanted.output or '')}: name another output folder"
            )
        in_the_way = overwrite and state == "failed" and wanted.output is not None and wanted.output.exists()
        same = (its_options, its_stamp) == (options, stamp) and not _vanished(state, wanted.output) and not in_the_way
        if same or state == "running":
            return id_, state if state in ("done", "failed") else None
        self._run(f"UPDATE jobs SET {_QUEUED}, options = ?, stamp = ?, work = NULL WHERE id = ?", options, stamp, id_)
        return id_, "changed"

    def _own(self) -> str:
        """This process as an owner of rows."""
        while self._owner is None:
            owner = uuid.uuid4().hex
            lock = FileLock(self._owner_file(owner))
            with self._told(), contextlib.suppress(Timeout):
                lock.acquire(blocking=False)
                if Path(lock.lock_file).is_file():  # else another batch took it for that of a dead one just before
                    self._lock, self._owner = lock, owner
        return self._owner

    def _owner_file(self, owner: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{owner}.owner")

    def _give_back(self, owner: str) -> int:
        return self._run("UPDATE jobs SET state = 'queued', owner = NULL WHERE owner = ?", owner).rowcount

    def _scope(self, ids: Sequence[int] | None) -> str:
        """The condition that a row is one of these."""
        if ids is None:
            return ""
        if ids is not self._scoped:
            self._run("DELETE FROM temp.scope")
            self._database.executemany("INSERT OR IGNORE INTO temp.scope VALUES (?)", ((one,) for one in ids))
            self._scoped = ids
        # Looked up row by row: with IN, SQLite goes through all of the scope for each row that is claimed.
        return "AND EXISTS (SELECT 1 FROM temp.scope WHERE scope.id = jobs.id)"

    def _row(self, id_: int) -> Row:
        return self._read_row(self._run(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", id_).fetchone())

    def _read_row(self, values: Sequence[Any]) -> Row:
        """Raises VmafTuneError where the row is damaged."""
        try:
            return _row(values)
        except (ValueError, TypeError, RecursionError) as error:
            raise VmafTuneError(
                f"cannot use the queue {self.path}: its row {values[0] if values else ''} is damaged ({error}); move the"
                " file away, and the same batch begins a new one, where encodes that are whole are not made again"
            ) from error

    def _fetched(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._told():
            return self._database.execute(statement, values).fetchall()

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        with self._told():
            return self._database.execute(statement, values)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One transaction, which no other process writes beside."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.rollback()
            raise
        self._run("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise UserError(f"{self.path} is no queue of vmaf-tune: name another file with --queue") from error
            raise VmafTuneError(f"cannot use the queue {self.path}: {error}") from error
        except UnicodeError as error:  # SQLite's own words name what rotted
            raise VmafTuneError(f"cannot use the queue {self.path}: it is damaged") from error
        except OSError as error:
            raise VmafTuneError(f"cannot use the queue {self.path}: {error.strerror or error}") from error


def _row(values: Sequence[Any]) -> Row:
    row = dict(zip(_COLUMNS.split(", "), values, strict=True))
    row["options"] = json.loads(row["options"])
    row["report"] = None if row["report"] is None else json.loads(row["report"])
    row["warnings"] = json.loads(row["warnings"] or "[]")
    # Cells of SQLite may hold anything: types are checked.
    return msgspec.convert({**row, "begun": bool(row["begun"])}, Row)


def _key(file: bytes, output: bytes | None, options: str) -> str:
    """An encode is known by its output, a search by what is searched and how."""
    parts = (b"encode", output) if output is not None else (b"search", file, options.encode())
    return hashlib.blake2b(b"\0".join(parts), digest_size=20).hexdigest()


def _stamp(file: Path) -> str:
    """Another content has another stamp."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"


def _vanished(state: str, output: Path | None) -> bool:
    return state == "done" and output is not None and not output.exists()

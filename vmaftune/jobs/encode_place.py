"""Where a full encode goes: never onto its source, never over a file unless told, and under its name only when whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import get_type_hints

import msgspec
from filelock import FileLock, Timeout

from vmaftune.errors import UserError, file_error
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.encode_streams import default_output
from vmaftune.jobs.options import EncodeOptions, HostOptions, PluginOptions
from vmaftune.jobs.session import Session
from vmaftune.media.facts import check_is_file, shown
from vmaftune.media.fingerprint import fingerprint
from vmaftune.state import atomic, leftovers
from vmaftune.state.workspace import workspace

_KIND = "encoded"
_DECIDE_NOTHING = {
    *get_type_hints(HostOptions),
    *get_type_hints(PluginOptions),
    "vmaf_threads",
    "safe",
    "overwrite",
    "resume",
}


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """An output as it was when it was whole, and what it was made of.

    Attributes:
        asked: digest of the source's content and the settings.
        size, modified_ns: of the output.
        report: as JSON in ASCII, where a file name need not be UTF-8.
    """

    asked: str
    size: int
    modified_ns: int
    report: str


class Place:
    """The output of one encode.

    Args:
        output: as the user named it; None is ``<stem>.<encoder>.mkv`` beside the source.

    Attributes:
        target: the output.

    Raises:
        UserError: it is the source, or there is no folder, or one that cannot be written to.
    """

    def __init__(self, session: Session, source: Path, output: Path | None, encoder: str, ffmpeg_version: str) -> None:
        self._session, self._ffmpeg_version, self._source = session, ffmpeg_version, source
        self.target = default_output(source, encoder) if output is None else output.absolute()
        check_is_file(source)
        folder = self.target.parent
        if not folder.is_dir():
            raise UserError(f"{shown(folder)}: no such folder for the output")
        if self.target.is_dir():
            raise UserError(f"{shown(self.target)} is a directory; name a file")
        if self.target.exists() and not self.target.is_file():
            raise UserError(f"{shown(self.target)} is no regular file; name another output")
        if self.target.exists() and self.target.samefile(source):
            raise UserError(f"{shown(self.target)} is the source itself; name another output")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(f"{shown(folder)} cannot be written to; name an output elsewhere")

    def check_free(self) -> None:
        """Raises UserError where there is such a file already and none may be replaced."""
        if os.path.lexists(self.target) and not self._session.option("overwrite", False):
            raise UserError(f"{shown(self.target)} exists; name another output, or allow its loss with --overwrite")

    def made_before(self) -> EncodeReport | None:
        """The report of the output that is there, where ``--resume`` is set and it is whole, unchanged and of the same
        source and settings."""
        if not self._session.option("resume", False):
            return None
        made = self._session.store.get(_KIND, self._key, _Made)
        try:
            found = self.target.stat()
        except OSError:
            return None
        if made is None or (made.size, made.modified_ns) != (found.st_size, found.st_mtime_ns):
            return None
        if made.asked != self._asked:
            return None
        leftovers.sweep(self.target.parent, found.st_uid)  # of a run that was killed after it gave the name
        try:
            return msgspec.convert(json.loads(made.report), EncodeReport)
        except (ValueError, RecursionError):  # of another version of us
            return None

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A temporary folder beside the output, where no other run makes the same one; those of killed runs are removed.

        Raises:
            UserError: another run makes it.
            VmafTuneError: there is no room.
        """
        locks = self._session.cache_folder / "encoding"
        try:
            locks.mkdir(parents=True, exist_ok=True)
            lock = FileLock(locks / f"{self._key}.lock", timeout=0)
            lock.acquire()
        except Timeout as error:
            raise UserError(f"{shown(self.target)} is being made by another run") from error
        except OSError:  # a cache that cannot be written stops no encode; publish sees to it that nothing is lost
            lock = None
        self._asked  # noqa: B018  # now: the source may be another one when the encode is done
        try:
            with workspace(self.target.parent) as folder:
                yield folder
        finally:
            if lock is not None:
                lock.release()

    def publish(self, made: Path, report: EncodeReport) -> None:
        """Give a whole encode its name.

        Raises:
            UserError: somebody else took the name since.
            VmafTuneError: it could not be written.
        """
        try:
            with made.open("rb") as file:
                os.fsync(file.fileno())
            self.remember(report, made)  # before it has its name: a run killed in between has made nothing
            self._name(made)
        except OSError as error:
            raise file_error(f"cannot write {shown(self.target)}", error) from error

    def remember(self, report: EncodeReport, file: Path | None = None) -> None:
        """Keep what was made, for ``--resume``.

        Raises:
            OSError: the file is not there.
        """
        written = (file or self.target).stat()
        text = json.dumps(msgspec.to_builtins(report))
        made = _Made(asked=self._asked, size=written.st_size, modified_ns=written.st_mtime_ns, report=text)
        self._session.store.put(_KIND, self._key, made)

    def _name(self, made: Path) -> None:
        if self._session.option("overwrite", False):
            made.replace(self.target)
        else:
            try:
                os.link(made, self.target)  # unlike a rename, it replaces nothing
            except FileExistsError:
                self.check_free()
                raise
            except OSError:  # a file system without links
                self.check_free()
                made.rename(self.target)
        # It has its name; a folder that cannot be read, or a file system that syncs none, takes nothing back.
        with suppress(OSError):
            atomic.sync_folder(self.target.parent)

    @property
    def _key(self) -> str:
        return hashlib.blake2b(os.fsencode(self.target), digest_size=20).hexdigest()

    @cached_property
    def _asked(self) -> str:
        """What is asked for, of the content that the source had when the encode began."""
        names = sorted(set(get_type_hints(EncodeOptions)) - _DECIDE_NOTHING)
        options = [(name, self._session.option(name, None)) for name in names]
        parts = repr((fingerprint(self._source, self._session.store), self._ffmpeg_version, options))
        return hashlib.blake2b(os.fsencode(parts), digest_size=20).hexdigest()

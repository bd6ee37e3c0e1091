"""A file of learned state that all processes of this host share: read, changed and written whole under one lock."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from filelock import FileLock
from vmaftune_plugins.sidecars import files

LOCK_SECONDS = 20.0
STATE_FILE = "state.json"
_SEALED = re.compile(rb'(.*),"checksum":"([^"]*)"\}', re.DOTALL)

State = TypeVar("State", bound=msgspec.Struct)


class StateFile(Generic[State]):
    """``<folder>/<predictor-version>/<encoder>/state.json``.

    Args:
        folder: ``<cache>/vmaf-tune/<correction>``.
        predictor_version, encoder: whose state it is.
        empty: makes a state with nothing learned.
        upgraded: what a state of an earlier version is now, as JSON; may raise msgspec.DecodeError.
        problem: what is wrong with a state, None where nothing is.
        warn: told when a file cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        predictor_version: str,
        encoder: str,
        *,
        empty: Callable[[], State],
        upgraded: Callable[[bytes], bytes],
        problem: Callable[[State], str | None],
        warn: Callable[[str], None],
    ) -> None:
        self._empty, self._upgraded, self._check, self._warn = empty, upgraded, problem, warn
        self.path = folder / predictor_version / encoder / STATE_FILE

    def read(self) -> State:
        """The state; an empty one where there is none yet. A file that cannot be used is set aside, not deleted."""
        try:
            content = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return self._empty()
        state, problem = self._decoded(content)
        if problem is None:
            return state
        with self._locked():
            try:
                if self._decoded(self.path.read_bytes())[1] is not None:  # nobody mended it meanwhile
                    self._set_aside(problem)
            except FileNotFoundError:
                pass
        return self._empty()

    def update(self, change: Callable[[State], State]) -> State:
        """Read, change and write the state under the lock that all processes share.

        Raises:
            OSError: it cannot be written.
        """
        with self._locked():
            try:
                state, problem = self._decoded(self.path.read_bytes())
                if problem is not None:
                    self._set_aside(problem)
            except FileNotFoundError:
                state = self._empty()
            changed = change(state)
            files.write(self.path, _with_checksum(msgspec.json.encode(changed)))
            return changed

    def checked(self, content: bytes) -> State:
        """A state as another host wrote it.

        Raises:
            ValueError: it is none that could be used here.
        """
        state, problem = self._decoded(content)
        if problem is not None:
            raise ValueError(f"it {problem}")
        return state

    def remove(self) -> bool:
        """Forget what was learned; whether there was anything."""
        if not self.path.exists():
            return False
        with self._locked():
            self.path.unlink(missing_ok=True)
        return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name("state.lock"), timeout=LOCK_SECONDS):
            yield

    def _set_aside(self, problem: str) -> None:
        aside = files.set_aside(self.path)
        self._warn(f"{self.path} {problem}; it was set aside as {aside.name} and learning begins anew")

    def _decoded(self, content: bytes) -> tuple[State, str | None]:
        empty = self._empty()
        try:
            state = msgspec.json.decode(self._upgraded(content), type=type(empty))
        except (ValueError, RecursionError) as error:  # msgspec's, UnicodeDecodeError
            return empty, f"cannot be read ({error})"
        problem = self._check(state) or (None if _is_whole(content) else "is damaged: its checksum differs")
        return (state, None) if problem is None else (empty, problem)


def _with_checksum(content: bytes) -> bytes:
    """A JSON object with a checksum of it as its last field: a digit that rotted would otherwise be learned from."""
    return content[:-1] + b',"checksum":"' + _checksum(content) + b'"}'


def _is_whole(content: bytes) -> bool:
    """Whether it is what was written; files of versions that wrote no checksum are."""
    found = _SEALED.fullmatch(content)
    return found is None or _checksum(found[1] + b"}") == found[2]


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=8).hexdigest().encode()


def state_folders(folder: Path) -> list[tuple[str, str]]:
    """Predictor version and encoder of every state in ``<cache>/vmaf-tune/<correction>``."""
    return [(path.parts[-3], path.parts[-2]) for path in sorted(folder.glob(f"*/*/{STATE_FILE}"))]


def host_uuid(folder: Path) -> str:
    """A random 128-bit identifier made once for this installation; never derived from anything of the machine.

    Raises:
        OSError: it cannot be kept.
    """
    path = folder / "host_uuid"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "host_uuid.lock", timeout=LOCK_SECONDS):
        try:
            return str(uuid.UUID(path.read_text("ascii").strip()))
        except (FileNotFoundError, ValueError):
            made = str(uuid.uuid4())
            files.write(path, made.encode("ascii"))
            return made

"""``latest-stable``: a name that always means the newest model that a trainer's gate, or a person, let through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from vmaftune.errors import UserError, VmafTuneError
from vmaftune.state import atomic
from vmaftune.state.regular import read_regular

LATEST_STABLE = "latest-stable"
STABLE_FILE = "latest-stable.json"

_SCHEMA = 1
_LOCK_SECONDS = 20.0
_REMEMBERED = 3


class _Stable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids in the order they were promoted; the name means the last one."""

    schema: int
    promoted: tuple[str, ...]


def promoted(folder: Path) -> tuple[str, ...]:
    """Ids that the name has meant, the present one last; none while nothing was ever promoted.

    Args:
        folder: of the user's models.

    Raises:
        UserError: the file there is broken.
    """
    path = folder / STABLE_FILE
    try:
        stable = msgspec.json.decode(read_regular(path), type=_Stable)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} does not say what {LATEST_STABLE} is: {error}; remove it") from error
    if stable.schema != _SCHEMA:
        raise UserError(f"{path} is of schema {stable.schema}, this vmaf-tune reads {_SCHEMA}; remove it")
    return stable.promoted


def promote(folder: Path, model_id: str, *, before: str | None = None) -> None:
    """Let the name mean this model from now on, whole or not at all.

    Args:
        before: what it means while nothing was promoted, so that ``rollback`` leads back there.

    Raises:
        UserError: the file there is broken.
        VmafTuneError: another process kept it locked.
        OSError: it could not be written.
    """
    with _locked(folder):
        known = promoted(folder) or ((before,) if before is not None else ())
        if known[-1:] != (model_id,):
            _write(folder, (*known, model_id)[-_REMEMBERED:])


def rollback(folder: Path) -> tuple[str, str]:
    """Let the name mean what it meant before the last promotion; from which model to which.

    Raises:
        UserError: there is none, or the file there is broken.
        VmafTuneError, OSError: as promote.
    """
    with _locked(folder):
        known = promoted(folder)
        if len(known) < 2:
            now = f"{LATEST_STABLE} is {known[0]}" if known else f"nothing was promoted to {LATEST_STABLE}"
            raise UserError(f"{now}, and no model before it is known to roll back to")
        _write(folder, known[:-1])
        return known[-1], known[-2]


def _write(folder: Path, ids: tuple[str, ...]) -> None:
    content = msgspec.json.format(msgspec.json.encode(_Stable(schema=_SCHEMA, promoted=ids)), indent=1) + b"\n"
    atomic.write(folder / STABLE_FILE, content)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{STABLE_FILE}.lock", timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise VmafTuneError(f"{folder}: another process is changing {LATEST_STABLE} and does not end") from error

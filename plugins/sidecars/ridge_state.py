"""What the sidecar has learned of one encoder, as a file: sufficient statistics and the last captures."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from filelock import FileLock

from vmaftune.state import atomic
from vmaftune.types import FloatArray

SCHEMA_VERSION = 1
_LOCK_SECONDS = 20.0


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One capture, for inspection: nothing in it names a source or a host.

    Attributes:
        features: on their fixed scale, with the terms in CRF; what ridge saw.
        residual: observed - predicted, in VMAF.
        timestamp: Unix time in seconds.
    """

    features: tuple[float, ...]
    residual: float
    timestamp: float


class State(msgspec.Struct, kw_only=True):
    """State of one predictor version and encoder.

    Attributes:
        schema_version: SCHEMA_VERSION.
        predictor_version: version whose residuals these are.
        host_uuid: random; says nothing of the machine.
        feature_names: columns of the statistics.
        gram: sum of x x^T over captures, shape (d, d).
        moment: sum of x * residual over captures, shape (d,).
        captures: how many.
        squared_residuals: sum of residual^2, in VMAF squared.
        history: the last captures, oldest first.
    """

    schema_version: int
    predictor_version: str
    host_uuid: str
    feature_names: tuple[str, ...]
    gram: list[list[float]]
    moment: list[float]
    captures: int = 0
    squared_residuals: float = 0.0
    history: list[HistoryRow] = []


def empty(predictor_version: str, host_uuid: str, feature_names: tuple[str, ...]) -> State:
    """State with nothing learned."""
    d = len(feature_names)
    return State(
        schema_version=SCHEMA_VERSION,
        predictor_version=predictor_version,
        host_uuid=host_uuid,
        feature_names=feature_names,
        gram=[[0.0] * d for _ in range(d)],
        moment=[0.0] * d,
    )


def add(state: State, x: FloatArray, residual: float, timestamp: float, history_rows: int) -> None:
    """Take one capture into ``state``: a rank-1 update, so captures add up to the same whatever their order."""
    state.gram = (np.array(state.gram) + np.outer(x, x)).tolist()
    state.moment = (np.array(state.moment) + residual * x).tolist()
    state.captures += 1
    state.squared_residuals += residual**2
    row = HistoryRow(
        features=tuple(round(v, 6) for v in x.tolist()), residual=round(residual, 6), timestamp=round(timestamp, 3)
    )
    state.history = [*state.history, row][-history_rows:] if history_rows else []


class StateFile:
    """``<folder>/<predictor-version>/<encoder>/state.json``, shared by all processes of this host.

    Args:
        folder: ``<cache>/vmaf-tune/sidecar``.
        warn: told when a file cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        predictor_version: str,
        encoder: str,
        feature_names: tuple[str, ...],
        warn: Callable[[str], None],
    ) -> None:
        self._folder, self._version, self._names, self._warn = folder, predictor_version, feature_names, warn
        self.path = folder / predictor_version / encoder / "state.json"

    def read(self) -> State:
        """The state; an empty one where there is none yet. A file that cannot be used is set aside, not deleted."""
        try:
            content = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return empty(self._version, "", self._names)
        problem = self._problem(content)
        if problem is None:
            return msgspec.json.decode(content, type=State)
        with self._locked():
            try:
                if self._problem(self.path.read_bytes()) is not None:  # nobody mended it meanwhile
                    aside = atomic.set_aside(self.path, "set-aside")
                    self._warn(f"{self.path} {problem}; it was set aside as {aside.name} and learning begins anew")
            except FileNotFoundError:
                pass
        return empty(self._version, "", self._names)

    def update(self, change: Callable[[State], None]) -> State:
        """Read, change and write the state under the lock that all processes share.

        Raises:
            OSError: it cannot be written.
        """
        with self._locked():
            try:
                content = self.path.read_bytes()
                usable = self._problem(content) is None
            except FileNotFoundError:
                usable = False
                content = b""
            state = msgspec.json.decode(content, type=State) if usable else self._fresh(content)
            change(state)
            atomic.write(self.path, msgspec.json.encode(state))
            return state

    def _fresh(self, unusable: bytes) -> State:
        if unusable:
            atomic.set_aside(self.path, "set-aside")
        return empty(self._version, host_uuid(self._folder), self._names)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name("state.lock"), timeout=_LOCK_SECONDS):
            yield

    def _problem(self, content: bytes) -> str | None:
        try:
            state = msgspec.json.decode(content, type=State)
        except msgspec.DecodeError as error:
            return f"cannot be read ({error})"
        d = len(state.feature_names)
        if state.schema_version != SCHEMA_VERSION:
            return f"has schema version {state.schema_version}, this is {SCHEMA_VERSION}"
        if state.predictor_version != self._version:
            return f"belongs to predictor {state.predictor_version}"
        if state.feature_names != self._names:
            return "was learned from other features"
        numbers = np.array([*state.moment, state.squared_residuals])
        if len(state.moment) != d or [len(row) for row in state.gram] != [d] * d:
            return "has statistics of the wrong shape"
        if not np.isfinite(numbers).all() or not np.isfinite(np.array(state.gram)).all():
            return "has statistics that are no numbers"
        return None


def host_uuid(folder: Path) -> str:
    """A random 128-bit identifier made once for this installation; never derived from anything of the machine.

    Raises:
        OSError: it cannot be kept.
    """
    path = folder / "host_uuid"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "host_uuid.lock", timeout=_LOCK_SECONDS):
        try:
            return str(uuid.UUID(path.read_text("ascii").strip()))
        except (FileNotFoundError, ValueError):
            made = str(uuid.uuid4())
            atomic.write(path, made.encode("ascii"))
            return made

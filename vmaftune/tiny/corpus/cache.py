"""What was measured, kept as ADR-0203 has it: ``<source>/<name of the distorted file>.json``, one file for each pair.

Each file is written whole, under a lock of its own, so that several processes may fill one cache and none does what another
has done. A file counts for the very files, tool and model that it was measured with.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from vmaftune.media.facts import shown
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.state import atomic
from vmaftune.state.regular import read_regular
from vmaftune.tiny.corpus.pairs import Pair, Stamp
from vmaftune.tiny.corpus.parallel import Busy

ENVIRONMENT_VARIABLE = "VMAF_TINY_AI_CACHE"
_FORMAT = 1
_LARGEST_BYTES = 2**30


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of libvmaf over a pair.

    Attributes:
        format: of this envelope.
        libvmaf: its version, as it says itself.
        ffmpeg: version of the ffmpeg that it is built into.
        model: the VMAF model of the scores.
        size: pixels at which the pair was compared: the reference's.
        source: of the pair.
        reference, distorted: the files that were read.
        frames: how many.
        features: canonical-6 by name, of each frame.
        vmaf: score of each frame.
    """

    format: int
    libvmaf: str
    ffmpeg: str
    model: str
    size: tuple[int, int]
    source: str
    reference: Stamp
    distorted: Stamp
    frames: int
    features: dict[str, list[float]]
    vmaf: list[float]


def default_folder() -> Path:
    """``$VMAF_TINY_AI_CACHE``, else ``~/.cache/vmaf-tiny-ai``."""
    return Path(os.environ.get(ENVIRONMENT_VARIABLE) or Path.home() / ".cache" / "vmaf-tiny-ai")


class Cache:
    """The measurements in ``folder`` that were made with one ffmpeg and one model.

    Args:
        warn: told of files that cannot be read, in one line each.
    """

    def __init__(self, folder: Path, ffmpeg: str, model: str, warn: Callable[[str], None]) -> None:
        self._folder, self._ffmpeg, self._model, self._warn = folder, ffmpeg, model, warn

    def get(self, pair: Pair) -> Measurement | None:
        """What is known of a pair; None where it must be measured."""
        path = self._path(pair)
        try:
            found = msgspec.json.decode(read_regular(path, _LARGEST_BYTES), type=Measurement)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            self._warn(f"{shown(path)} cannot be read ({error}); it is measured again")
            return None
        if not _whole(found):
            self._warn(f"{shown(path)} is damaged; it is measured again")
            return None
        key = (_FORMAT, self._ffmpeg, self._model, pair.source, pair.reference.stamp, pair.distorted.stamp)
        same = (found.format, found.ffmpeg, found.model, found.source, found.reference, found.distorted) == key
        return found if same else None

    def put(self, pair: Pair, *, libvmaf: str, size: tuple[int, int], metrics: list[dict[str, float]]) -> Measurement:
        """Keep what libvmaf said of each frame.

        Raises:
            OSError: it could not be written.
        """
        measured = Measurement(
            format=_FORMAT,
            libvmaf=libvmaf,
            ffmpeg=self._ffmpeg,
            model=self._model,
            size=size,
            source=pair.source,
            reference=pair.reference.stamp,
            distorted=pair.distorted.stamp,
            frames=len(metrics),
            features={name: [_feature(frame, name) for frame in metrics] for name in CANONICAL_6},
            vmaf=[frame["vmaf"] for frame in metrics],
        )
        atomic.write(self._path(pair), msgspec.json.encode(measured))
        return measured

    @contextmanager
    def locked(self, pair: Pair) -> Iterator[None]:
        """Holds a pair for as long as it is measured.

        Raises:
            Busy: another process holds it.
        """
        path = self._path(pair)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise Busy from None
        try:
            yield
        finally:
            lock.release()

    def _path(self, pair: Pair) -> Path:
        return self._folder / pair.source / f"{pair.name}.json"


def _feature(frame: dict[str, float], name: str) -> float:
    """libvmaf's fixed-point features carry a prefix."""
    return frame[f"integer_{name}"] if f"integer_{name}" in frame else frame[name]


def _whole(found: Measurement) -> bool:
    columns = [found.vmaf, *found.features.values()]
    return (
        tuple(found.features) == CANONICAL_6
        and all(len(column) == found.frames for column in columns)
        and all(math.isfinite(value) for column in columns for value in column)
    )

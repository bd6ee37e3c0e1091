"""Probes of one curve, made once whichever method asks first; each method is charged for what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from summary import Tally

from vmaftune.contract import FloatArray, ProbeRecord
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.crf_search.grid import crf_grid
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import EncodeRequest, PreparedSource, prepare
from vmaftune.encoders.spec import number
from vmaftune.features.measure import Measured
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.state.store import Store
from vmaftune.state.workspace import workspace

Record = TypeVar("Record")

_VMAF_THREADS = 2  # whatever the machine: probes of an interrupted run and of the one that goes on are made alike


class BenchStore(Store):
    """A cache that also tells what the features it gave or took last had cost, when they were really measured.

    A prepared source says 0 seconds for features from the cache, which is right for a user and wrong for a benchmark.
    """

    feature_seconds = 0.0

    def get(self, kind: str, key: str, record_type: type[Record], part: float = 0.0) -> Record | None:
        record = super().get(kind, key, record_type, part)
        self._see(record)
        return record

    def put(self, kind: str, key: str, record: object, part: float = 0.0) -> None:
        super().put(kind, key, record, part)
        self._see(record)

    def _see(self, record: object) -> None:
        if isinstance(record, Measured):
            self.feature_seconds = record.feature_seconds


@dataclass(frozen=True)
class Curve:
    """One clip with one encoder, ready for searches.

    Attributes:
        clip, encoder: as they are shown.
        spec, grid, source: what is searched.
        feature_seconds: what the pass over the source cost, when it was made.
        folder: temporary.
        prober: makes what is not yet in ``verified`` and ``explored``.
        verified, explored: probes made so far, by CRF.
    """

    clip: str
    encoder: str
    spec: EncoderSpec
    grid: FloatArray
    source: PreparedSource
    feature_seconds: float
    folder: Path
    prober: Prober
    verified: dict[float, ProbeRecord]
    explored: dict[float, ProbeRecord]


@contextmanager
def opened(path: Path, encoder: str, spec: EncoderSpec, ffmpeg: Ffmpeg, store: BenchStore) -> Iterator[Curve]:
    """The curve of a clip, with all probes of it that the cache holds.

    Args:
        encoder: ``NAME:PRESET``; without a preset, the encoder's default.
    """
    with workspace() as folder:
        preset = encoder.partition(":")[2] or None
        source = prepare(ffmpeg, path, EncodeRequest(encoder=spec, preset=preset), store, folder)
        prober = Prober(ffmpeg, source, threads=_VMAF_THREADS, store=store, folder=folder)
        yield Curve(
            clip=path.stem,
            encoder=encoder,
            spec=spec,
            grid=crf_grid(spec, None, None, None),
            source=source,
            feature_seconds=store.feature_seconds,
            folder=folder,
            prober=prober,
            verified=prober.cached(),
            explored=prober.explored(),
        )


class SharedProbes:
    """A curve's probes as one search sees them: it begins with none, and pays for each as if it were the first to ask.

    Args:
        tally: charged.
        explore: False hides that a part can be scored.
    """

    def __init__(self, curve: Curve, tally: Tally, *, explore: bool) -> None:
        self._curve, self._tally = curve, tally
        self.frames, self.samples = curve.prober.frames, curve.prober.samples
        self.exploring_share = curve.prober.exploring_share if explore else None

    def cached(self) -> dict[float, ProbeRecord]:
        return {}

    def explored(self) -> dict[float, ProbeRecord]:
        return {}

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        verified, tally = self._curve.verified, self._tally
        if crf not in verified:
            verified[crf] = self._curve.prober.probe(crf, on_progress)
        record = verified[crf]
        tally.last_seconds = record.encode_seconds + record.score_seconds
        tally.verified += 1
        tally.verify_seconds += tally.last_seconds
        tally.steps += f" {number(crf)}={record.score:.3f}"
        return record

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        explored, tally = self._curve.explored, self._tally
        if crf not in explored:
            explored[crf] = self._curve.prober.explore(crf, on_progress)
        record = explored[crf]
        tally.explored += 1
        tally.explore_seconds += record.encode_seconds + record.score_seconds
        tally.steps += f" {number(crf)}~{record.score:.3f}"
        return record

    def vmaf(self, place: int) -> float:
        """The verified score at a place of the grid, for rules that know nothing but places."""
        return self.probe(float(self._curve.grid[place]), lambda share: None).score

"""Makes probes: trial encodes of all samples at one CRF with their score, kept in the cache.

A verifying probe scores all frames, an exploring one a part of them; both encode all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.records import ProbeRecord, ProbeRequest
from vmaftune.crf_search.part import POOLS, Part, deviation, estimate, plan_part
from vmaftune.crf_search.source import PreparedSource, total_bytes
from vmaftune.encoding.probe import encode_and_score, score_itself
from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.quality.metric import Metric
from vmaftune.state.store import Store

_MICRO = 1_000_000
_SCORE_BYTES = 4


class _CachedProbe(msgspec.Struct, frozen=True, kw_only=True):
    """A probe as it is kept: scores of all its frames, in millionths, so that any pooling can be made of them.

    ``pools`` are those that it was asked for by.
    """

    frame_scores_micro: bytes
    encoded_bytes: Annotated[int, msgspec.Meta(ge=0)]
    encode_seconds: Annotated[float, msgspec.Meta(ge=0.0)]
    score_seconds: Annotated[float, msgspec.Meta(ge=0.0)]
    pools: tuple[str, ...] = ("mean",)

    def scores(self, metric: Metric) -> FloatArray:
        """Of each frame, as Metric.scores gives them."""
        scores, parts = np.frombuffer(self.frame_scores_micro, "<i4") / _MICRO, len(metric.parts)
        return scores if parts == 1 else scores.reshape(-1, parts)


class Prober:
    """Probes one prepared source.

    Args:
        ffmpeg, source: what runs, and on what.
        threads: of libvmaf.
        store: where probes are kept.
        folder: for temporary files.
        explore: False makes no exploring probes and uses none that the cache holds.
        apart: what was probed for another pool is not known beforehand, and is found when the same CRF is asked for. Then a
            search goes the way that it would go alone, and so does what is learned of it.
    """

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        source: PreparedSource,
        *,
        threads: int,
        store: Store,
        folder: Path,
        explore: bool = True,
        apart: bool = False,
    ) -> None:
        self._ffmpeg, self._source, self._pool, self._apart = ffmpeg, source, source.scale.pool, apart
        self._metric = source.comparison.metric
        self._threads, self._store, self._folder = threads, store, folder
        beside = self._metric.neighbours(source.comparison) if explore and self._pool in POOLS else None
        self._part = None if beside is None else plan_part(source.frames, beside)
        self._seconds = sum(source.seconds)

    @property
    def frames(self) -> int:
        """Frames that one probe encodes."""
        return sum(self._source.frames)

    @property
    def samples(self) -> int:
        """Samples that one probe encodes."""
        return len(self._source.samples)

    def request(self, number: int, crf: float) -> ProbeRequest:
        """The verifying probe at one CRF, as hooks are told of it; ``number`` counts those of the job from 1."""
        settings = self._source.settings
        return ProbeRequest(
            purpose="verify",
            number=number,
            encoder=settings.spec.name,
            preset=settings.preset,
            crf=crf,
            frames=self.frames,
            samples=self.samples,
            scale=self._source.scale,
        )

    @property
    def exploring_share(self) -> float | None:
        """Time of an exploring probe as a share of a verifying one's, from the pixels to encode and to score; None where a
        part of this source says nothing: it is short, the pool is no mean, or the metric scores no part exactly."""
        if self._part is None:
            return None
        source = self._source
        pixels = source.facts.width * source.facts.height
        width, height = source.comparison.size or (source.facts.width, source.facts.height)
        encoding, scoring = source.settings.spec.encode_cost * pixels, width * height
        return (encoding + self._part.cost(source.frames) * scoring) / (encoding + scoring)

    def cached(self) -> dict[float, ProbeRecord]:
        """Every verifying probe of this curve that the cache holds, by CRF; of another pool where that is not kept apart."""
        return self._kept(None)

    def explored(self) -> dict[float, ProbeRecord]:
        """Every exploring probe of this curve that the cache holds, by CRF."""
        return {} if self._part is None else self._kept(self._part)

    def frame_scores(self, crf: float) -> FloatArray | None:
        """Score of every frame of a verifying probe, shape (frames,), in order; None where the cache holds no such probe."""
        probe = self._store.get(*self._family(None), _CachedProbe, part=crf)
        if probe is None or not self._whole(probe, None):
            return None
        return self._metric.of_frames(probe.scores(self._metric))

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        """Encode and score all samples.

        Args:
            on_progress: called with the share done, 0 to 1.

        Raises:
            UserError: the encoder does not take the settings.
            PairingError: frames were lost, so that there is no score.
        """
        return self._made(crf, None, on_progress)

    def explore(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        """Encode all samples and score a part of their frames; not to be asked where ``exploring_share`` is None.

        Args, Raises: as in probe.
        """
        assert self._part is not None
        return self._made(crf, self._part, on_progress)

    def source_score(self) -> float:
        """Score of the samples against themselves, which no encode can be expected to pass. VMAF may be below 100.

        Raises:
            VmafTuneError: the metric failed.
        """
        source = self._source
        scores = [
            score_itself(
                self._ffmpeg,
                sample.path,
                sample.stream_index,
                frames,
                source.settings.video_filter,
                source.comparison,
                threads=self._threads,
                folder=self._folder,
                picture=(source.facts.width, source.facts.height),
            )
            for sample, frames in zip(source.samples, source.frames, strict=True)
        ]
        return round(self._metric.pooled(np.concatenate(scores), self._pool), 6)

    def _made(self, crf: float, part: Part | None, on_progress: Callable[[float], None]) -> ProbeRecord:
        found = self._store.get(*self._family(part), _CachedProbe, part=crf) if self._apart else None
        if found is not None and self._whole(found, part):
            found = msgspec.structs.replace(found, pools=tuple(sorted({*found.pools, self._pool})))
            self._store.put(*self._family(part), found, part=crf)
            return self._record(crf, found, part, cached=True)
        source, scores, size, encode_seconds, score_seconds, done = self._source, [], 0, 0.0, 0.0, 0
        for sample, frames in zip(source.samples, source.frames, strict=True):

            def progress(frame: int, done: int = done) -> None:
                on_progress(min(1.0, (done + frame) / self.frames))

            try:
                encoded = encode_and_score(
                    self._ffmpeg,
                    sample.path,
                    sample.stream_index,
                    frames,
                    source.settings,
                    crf,
                    source.comparison,
                    threads=self._threads,
                    folder=self._folder,
                    picture=(source.facts.width, source.facts.height),
                    selection=None if part is None else part.selection(frames),
                    on_progress=progress,
                )
            except FfmpegError as error:
                raise _whose_fault(error, source) from error
            scores.append(encoded.frame_scores)
            size += encoded.encoded_bytes
            encode_seconds += encoded.encode_seconds
            score_seconds += encoded.score_seconds
            done += frames
        probe = _CachedProbe(
            frame_scores_micro=np.round(np.concatenate(scores) * _MICRO).astype("<i4").tobytes(),
            encoded_bytes=size,
            encode_seconds=encode_seconds,
            score_seconds=score_seconds,
            pools=(self._pool,),
        )
        self._store.put(*self._family(part), probe, part=crf)
        return self._record(crf, probe, part, cached=False)

    def _family(self, part: Part | None) -> tuple[str, str]:
        """Kind and key of the cached probes that scored the whole, or this part."""
        key = self._source.curve_key
        return ("probe", key) if part is None else ("part", f"{key}-{part.identity}")

    def _kept(self, part: Part | None) -> dict[float, ProbeRecord]:
        kept = self._store.family(*self._family(part), _CachedProbe)
        return {
            crf: self._record(crf, probe, part, cached=True)
            for crf, probe in kept.items()
            if self._whole(probe, part) and not (self._apart and self._pool not in probe.pools)
        }

    def _whole(self, probe: _CachedProbe, part: Part | None) -> bool:
        """Whether it has a score for each frame that it is to have one for."""
        frames = self._source.frames
        scored = sum(frames) if part is None else sum(1 + part.scored(count) for count in frames)
        return len(probe.frame_scores_micro) == _SCORE_BYTES * scored * len(self._metric.parts)

    def _record(self, crf: float, probe: _CachedProbe, part: Part | None, *, cached: bool) -> ProbeRecord:
        scores = probe.scores(self._metric)
        pooled, off = self._metric.pooled(scores, self._pool), 0.0
        if part is not None:
            frames = self._source.frames
            ends = np.cumsum([1 + part.scored(count) for count in frames])
            of_samples = np.split(scores, ends[:-1])
            pooled, off = (
                estimate(of_samples, frames, self._pool),
                deviation(of_samples, self._pool, self._metric.grain),
            )
        return ProbeRecord(
            purpose="verify" if part is None else "explore",
            crf=crf,
            score=round(pooled, 6),
            deviation=round(off, 6),
            bitrate_kbps=probe.encoded_bytes * 8 / 1000 / self._seconds,
            encoded_percent=100.0 * probe.encoded_bytes / max(1, total_bytes(self._source.samples)),
            encode_seconds=probe.encode_seconds,
            score_seconds=probe.score_seconds,
            frames=len(scores),
            cached=cached,
            scale=self._source.scale,
        )


def _whose_fault(error: FfmpegError, source: PreparedSource) -> Exception:
    """An encoder that refuses is the user's to mend; a full disk or a crash is not."""
    crashed = error.reason.startswith("ended by signal")
    if crashed and not source.settings.spec.hardware:
        return error
    if "libvmaf model" in error.reason:
        return UserError(f"--vmaf-model {source.comparison.model}: {error.reason}; name another, or a .json file")
    metric = source.comparison.metric
    if f"No such filter: '{metric.filter}'" in error.reason:
        return UserError(
            f"this ffmpeg was built without {metric.filter}, by which {metric.title} is measured; see --ffmpeg"
        )
    name = source.settings.spec.name
    hint = " (does this machine have the hardware?)" if source.settings.spec.hardware else ""
    return UserError(f"{name} failed{hint}: {error.reason}")

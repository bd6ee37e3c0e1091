"""Makes probes: trial encodes of all samples at one CRF with their score, kept in the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg import vmaf
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.probe import encode_and_score
from vmaftune.search.source import PreparedSource, total_bytes
from vmaftune.state.store import Store
from vmaftune.types import ProbeRecord

_MICRO = 1_000_000


class _CachedProbe(msgspec.Struct, frozen=True, kw_only=True):
    """A probe as it is kept: scores of all frames, in millionths, so that any pooling can be made of them."""

    frame_scores_micro: bytes
    encoded_bytes: int
    encode_seconds: float
    score_seconds: float


class Prober:
    """Probes one prepared source.

    Args:
        ffmpeg, source: what runs, and on what.
        pool: how frame scores become one.
        threads: of libvmaf.
        store: where probes are kept.
        folder: for temporary files.
    """

    def __init__(
        self, ffmpeg: Ffmpeg, source: PreparedSource, *, pool: str, threads: int, store: Store, folder: Path
    ) -> None:
        self._ffmpeg, self._source, self._pool = ffmpeg, source, pool
        self._threads, self._store, self._folder = threads, store, folder
        # By the frames before the filters: those change how many there are more often than how long they last.
        self._seconds = sum(source.measured.frames) / source.facts.fps

    @property
    def frames(self) -> int:
        """Frames that one probe encodes and scores."""
        return sum(self._source.frames)

    @property
    def samples(self) -> int:
        """Samples that one probe encodes."""
        return len(self._source.samples)

    def cached(self) -> dict[float, ProbeRecord]:
        """Every probe of this curve that the cache holds, by CRF."""
        kept = self._store.family("probe", self._source.curve_key, _CachedProbe)
        return {crf: self._record(crf, probe, cached=True) for crf, probe in kept.items()}

    def probe(self, crf: float, on_progress: Callable[[float], None]) -> ProbeRecord:
        """Encode and score all samples.

        Args:
            on_progress: called with the share done, 0 to 1.

        Raises:
            UserError: the encoder does not take the settings.
            PairingError: frames were lost, so that there is no score.
        """
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
        )
        self._store.put("probe", source.curve_key, probe, part=crf)
        return self._record(crf, probe, cached=False)

    def _record(self, crf: float, probe: _CachedProbe, *, cached: bool) -> ProbeRecord:
        scores = np.frombuffer(probe.frame_scores_micro, "<i4") / _MICRO
        return ProbeRecord(
            crf=crf,
            vmaf=round(vmaf.pooled(scores, self._pool), 6),
            bitrate_kbps=probe.encoded_bytes * 8 / 1000 / self._seconds,
            encoded_percent=100.0 * probe.encoded_bytes / max(1, total_bytes(self._source.samples)),
            encode_seconds=probe.encode_seconds,
            score_seconds=probe.score_seconds,
            frames=len(scores),
            cached=cached,
        )


def _whose_fault(error: FfmpegError, source: PreparedSource) -> Exception:
    """An encoder that refuses is the user's to mend; a full disk or a crash is not."""
    crashed = error.reason.startswith("ended by signal")
    if crashed and not source.settings.spec.hardware:
        return error
    if "libvmaf model" in error.reason:
        model = source.comparison.model
        return UserError(f"--vmaf-model {model}: {error.reason}; name one such as {vmaf.MODEL_HD}, or a .json file")
    name = source.settings.spec.name
    hint = " (does this machine have the hardware?)" if source.settings.spec.hardware else ""
    return UserError(f"{name} failed{hint}: {error.reason}")

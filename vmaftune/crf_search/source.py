"""A source made ready for probing: its facts, its samples, its features, and the encode that is asked for."""

from __future__ import annotations

import functools
import hashlib
import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from vmaftune.contract.curves import CurveContext, FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import SCHEMA_VERSION
from vmaftune.encoders.kept import losses
from vmaftune.encoders.spec import EncoderSettings, check_size, settings_for
from vmaftune.encoding.probe import PROBE_VERSION
from vmaftune.encoding.try_options import try_options
from vmaftune.errors import UserError
from vmaftune.features.measure import Measured, filtered, measure
from vmaftune.features.pilot import pilot_plan
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.decoded import decoded_facts
from vmaftune.media.facts import MediaFacts
from vmaftune.media.fingerprint import fingerprint, stamp_of
from vmaftune.media.pixels import pixels
from vmaftune.media.samples import Sample, SampleRule, cut, plan
from vmaftune.quality.metric import Comparison, Pictures, identity_of
from vmaftune.quality.scale import Scale
from vmaftune.quality.settings import ScoreSettings
from vmaftune.state.store import Store

_RATE_KEPT = 0.01  # times of containers are rounded


class EncodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How the user wants a source encoded.

    Attributes:
        encoder: its spec.
        preset, pix_fmt, video_filter: None leaves the choice to us.
        extra: further ffmpeg arguments.
        rule: how samples are placed.
        score: how scores are made.
        height: in pixels that the encode is scaled to; it is still compared with the source at its own size. None leaves it.
    """

    encoder: EncoderSpec
    preset: str | None = None
    pix_fmt: str | None = None
    video_filter: str | None = None
    extra: tuple[str, ...] = ()
    rule: SampleRule = SampleRule()
    score: ScoreSettings = ScoreSettings()
    height: int | None = None

    @property
    def tries(self) -> bool:
        """There is something of the user's that has to be tried on pictures of the source."""
        return bool(self.video_filter or self.extra)


class PreparedSource(msgspec.Struct, frozen=True, kw_only=True):
    """All that probing needs.

    Attributes:
        path, facts: the source.
        samples: what is encoded.
        measured: its features.
        frames: frames of each sample after the user's filters.
        settings: the encode, but for the CRF.
        comparison: how it is scored.
        scale: of what scale its scores are.
        filtered: whether pictures go through a filter of the user's first, which the features know nothing of.
        curve_key: cache key of all probes of this curve; differs with everything that could change a score.
    """

    path: Path
    facts: MediaFacts
    samples: tuple[Sample, ...]
    measured: Measured
    frames: tuple[int, ...]
    settings: EncoderSettings
    comparison: Comparison
    scale: Scale
    filtered: bool
    curve_key: str

    def context(self, crfs: FloatArray) -> CurveContext:
        """The curve of this source over a grid of CRFs, shape (n,)."""
        return CurveContext(
            features=self.measured.features,
            encoder=self.settings.spec,
            preset=self.settings.preset,
            crfs=crfs,
            scale=self.scale,
            filtered=self.filtered,
        )

    @property
    def seconds(self) -> tuple[float, ...]:
        """How long each sample lasts. By the frames before the filters, which change how many there are more often than how
        long they last; by their times where those do not keep the rate."""
        by_rate = (frames / self.facts.fps for frames in self.measured.frames)
        return tuple(
            sample.seconds if sample.seconds and abs(sample.seconds / rated - 1) > _RATE_KEPT else rated
            for sample, rated in zip(self.samples, by_rate, strict=True)
        )


class CutSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that was read and cut, here or on another host.

    Attributes:
        facts: of the source.
        samples: what is encoded.
        content: the source's fingerprint.
    """

    facts: MediaFacts
    samples: tuple[Sample, ...]
    content: str


def cut_source(path: Path, facts: MediaFacts, rule: SampleRule, folder: Path, store: Store) -> CutSource:
    """Cut a source; its samples go to ``folder``.

    Args:
        store: keeps what was hashed of sources.

    Raises:
        UserError: it cannot be used.
        VmafTuneError: the samples cannot be written.
    """
    try:
        stamp, content = stamp_of(path), fingerprint(path, store)
        samples = cut(path, facts, rule, folder)
        if stamp_of(path) != stamp:  # these samples are of no content that will be found again
            content = uuid.uuid4().hex
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    return CutSource(facts=facts, samples=tuple(samples), content=content)


def prepare(
    ffmpeg: Ffmpeg,
    path: Path,
    request: EncodeRequest,
    store: Store,
    folder: Path,
    source: CutSource | None = None,
    on_measure: Callable[[Path, float], None] | None = None,
    *,
    warn: Callable[[str], None] | None = None,
) -> PreparedSource:
    """Measure a source, and read and cut it where that is not done.

    Args:
        store: keeps features; they are measured once for each source and sample rule.
        folder: where samples are cut to.
        source: the same, where it was read and cut already; ``path`` need not be there then.
        on_measure: called with ``path`` and the share done while features are measured, which takes as long as a probe or two.
        warn: takes what a person should know before anything long is done.

    Raises:
        UserError: the source cannot be used, or the request does not fit it.
    """
    if source is None:
        source = cut_source(path, decoded_facts(ffmpeg, path), request.rule, folder, store)
    facts, samples, content = source.facts, source.samples, source.content
    settled = settle(ffmpeg, request, facts, samples, folder, warn)
    settings, comparison, frames = settled.settings, settled.comparison, settled.frames
    source_key = _digest(content, *facts.identity, plan(facts.duration_seconds, request.rule) or "whole")
    pilot = pilot_plan(request.encoder.pilot_family)
    feature_key = _digest(source_key, SCHEMA_VERSION, ffmpeg.version, pilot)
    measured = store.get("features", feature_key, Measured)
    if measured is None:
        tell = None if on_measure is None else functools.partial(on_measure, path)
        measured = measure(ffmpeg, facts, samples, folder, path, plan=pilot, on_progress=tell)
        store.put("features", feature_key, measured)
    else:
        measured = msgspec.structs.replace(measured, feature_seconds=0.0)
    # Encoders split work by the number of processors, and x264 and x265 give other bits when they do.
    curve_key = _digest(
        *(source_key, PROBE_VERSION, settings.identity, ffmpeg.version),
        *(comparison.metric.model_name(comparison), identity_of(comparison), os.cpu_count()),
    )
    return PreparedSource(
        path=path,
        facts=facts,
        samples=samples,
        measured=measured,
        frames=frames or measured.frames,
        settings=settings,
        comparison=comparison,
        scale=settled.scale,
        filtered=bool(request.video_filter),
        curve_key=curve_key,
    )


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What a request comes to for one source.

    Attributes:
        settings: the encode, but for the CRF.
        comparison: how it is scored.
        scale: of what scale the scores are.
        frames: of each sample, that the user's filters leave; None where there are none.
    """

    settings: EncoderSettings
    comparison: Comparison
    scale: Scale
    frames: tuple[int, ...] | None


def settle(
    ffmpeg: Ffmpeg,
    request: EncodeRequest,
    facts: MediaFacts,
    samples: Sequence[Sample],
    folder: Path,
    warn: Callable[[str], None] | None = None,
) -> Settled:
    """What a request comes to for one source.

    Args:
        samples: the user's filters and options are tried on them.
        warn: takes what a person should know before anything long is done.

    Raises:
        UserError: the request does not fit the source.
    """
    frames, size = None, (facts.width, facts.height)
    if request.video_filter:
        left = [filtered(ffmpeg, sample, size, request.video_filter, folder) for sample in samples]
        frames, size = tuple(count for count, _ in left), left[0][1]
        if 0 in frames:
            raise UserError(f"--vfilter {request.video_filter!r} leaves no frame to encode")
    settings = settings_for(
        request.encoder,
        preset=request.preset,
        pix_fmt=request.pix_fmt,
        video_filter=request.video_filter,
        extra=request.extra,
        source_pix_fmt=facts.pix_fmt,
        source_size=size,
    )
    check_size(request.encoder, size)
    if request.height is not None and request.height < size[1]:
        settings = msgspec.structs.replace(settings, scaled=_scaled(size, request.height))
        check_size(request.encoder, settings.scaled or size)
    depth = pixels(settings.pix_fmt).bits
    pictures = Pictures(
        width=size[0],
        height=size[1],
        bit_depth=max(facts.bit_depth, depth),
        fps=facts.fps,
        hdr=facts.hdr,
        encoded=settings.scaled,
        encoded_depth=depth,
    )
    comparison = request.score.decide(pictures)
    if settings.scaled is not None:
        comparison = msgspec.structs.replace(comparison, size=comparison.size or size)
    said = [*comparison.notes, *losses(facts, settings, pix_fmt_chosen=request.pix_fmt is not None)]
    for sample in samples[:1]:
        said += try_options(ffmpeg, sample.path, sample.stream_index, settings, (facts.width, facts.height))
    if warn is not None:
        for line in said:
            warn(line)
    return Settled(settings=settings, comparison=comparison, scale=request.score.scale(pictures), frames=frames)


def _scaled(size: tuple[int, int], height: int) -> tuple[int, int]:
    """The even size of that height which keeps the shape of the pictures best."""
    return max(2, 2 * round(size[0] * height / size[1] / 2)), height


def _digest(*parts: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=20).hexdigest()


def total_bytes(samples: Sequence[Sample]) -> int:
    """Size of the source's video packets within the samples."""
    return sum(sample.source_bytes for sample in samples)

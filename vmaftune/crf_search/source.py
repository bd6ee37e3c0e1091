"""A source made ready for probing: its facts, its samples, its features, and the encode that is asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.encoders.spec import EncoderSettings, EncoderSpec, settings_for
from vmaftune.errors import UserError
from vmaftune.features.measure import Measured, filtered, measure
from vmaftune.features.pilot import pilot_plan
from vmaftune.features.schema import SCHEMA_VERSION
from vmaftune.ffmpeg import vmaf
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.probe import PROBE_VERSION
from vmaftune.ffmpeg.vmaf import Comparison, ScoreSettings
from vmaftune.media.facts import MediaFacts, read_facts, shown
from vmaftune.media.fingerprint import fingerprint
from vmaftune.media.samples import Sample, SampleRule, cut, plan
from vmaftune.quality.scale import Scale
from vmaftune.state.store import Store


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
    curve_key: str


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


def cut_source(path: Path, rule: SampleRule, folder: Path) -> CutSource:
    """Read and cut a source; its samples go to ``folder``.

    Raises:
        UserError: it cannot be used.
        VmafTuneError: the samples cannot be written.
    """
    facts = read_facts(path)
    samples = cut(path, facts, rule, folder)
    try:
        content = fingerprint(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    return CutSource(facts=facts, samples=tuple(samples), content=content)


def prepare(
    ffmpeg: Ffmpeg, path: Path, request: EncodeRequest, store: Store, folder: Path, source: CutSource | None = None
) -> PreparedSource:
    """Read, cut and measure a source.

    Args:
        store: keeps features; they are measured once for each source and sample rule.
        folder: where samples are cut to.
        source: the same, where it was read and cut already; ``path`` need not be there then.

    Raises:
        UserError: the source cannot be used, or the request does not fit it.
    """
    source = cut_source(path, request.rule, folder) if source is None else source
    facts, samples, content = source.facts, source.samples, source.content
    settings, comparison, frames = settle(ffmpeg, request, facts, samples, folder)
    source_key = _digest(content, facts.stream_index, plan(facts.duration_seconds, request.rule) or "whole")
    pilot = pilot_plan(request.encoder.name)
    feature_key = _digest(source_key, SCHEMA_VERSION, ffmpeg.version, pilot)
    measured = store.get("features", feature_key, Measured)
    if measured is None:
        measured = measure(ffmpeg, facts, samples, folder, path, plan=pilot)
        store.put("features", feature_key, measured)
    else:
        measured = msgspec.structs.replace(measured, feature_seconds=0.0)
    # Encoders split work by the number of processors, and x264 and x265 give other bits when they do.
    curve_key = _digest(
        *(source_key, PROBE_VERSION, settings.identity, ffmpeg.version),
        *(_model_identity(comparison), comparison, os.cpu_count()),
    )
    return PreparedSource(
        path=path,
        facts=facts,
        samples=samples,
        measured=measured,
        frames=frames or measured.frames,
        settings=settings,
        comparison=comparison,
        scale=scale_of(request, facts, comparison),
        curve_key=curve_key,
    )


def settle(
    ffmpeg: Ffmpeg, request: EncodeRequest, facts: MediaFacts, samples: Sequence[Sample], folder: Path
) -> tuple[EncoderSettings, Comparison, tuple[int, ...] | None]:
    """What a request comes to for one source: the encode but for the CRF, how it is scored, and the frames of each sample
    that the user's filters leave (None where there are none).

    Args:
        samples: the user's filters are tried on them.

    Raises:
        UserError: the request does not fit the source.
    """
    frames, size = None, (facts.width, facts.height)
    if request.video_filter:
        left = [filtered(ffmpeg, sample, request.video_filter, folder) for sample in samples]
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
        source_bit_depth=facts.bit_depth,
        source_size=size,
    )
    comparison = vmaf.decide(request.score, *size, max(facts.bit_depth, 10 if "10" in settings.pix_fmt else 8))
    if request.height is not None and request.height < size[1]:
        settings = msgspec.structs.replace(settings, scaled=_scaled(size, request.height))
        comparison = msgspec.structs.replace(comparison, size=comparison.size or size)
    return settings, comparison, frames


def scale_of(request: EncodeRequest, facts: MediaFacts, comparison: Comparison) -> Scale:
    """Of what scale the scores are that a request comes to.

    A predictor expects the curve of a source from its features, and those are measured before any filter of the user's: after a
    crop or a denoiser both curve and score are of other pictures. No filter keeps them comparable for certain.
    """
    usual = vmaf.decide(ScoreSettings(), facts.width, facts.height, facts.bit_depth)
    unlike = []
    if comparison.model != usual.model:
        unlike.append(f"model {shown(comparison.model)}")
    if request.score.pool != "mean":
        unlike.append(f"pool {request.score.pool}")
    if request.video_filter:
        unlike.append("a filter of yours")
    elif comparison.size != usual.size:
        unlike.append("compared at {}x{}".format(*comparison.size or (facts.width, facts.height)))
    return Scale(unlike=tuple(unlike))


def _scaled(size: tuple[int, int], height: int) -> tuple[int, int]:
    """The even size of that height which keeps the shape of the pictures best."""
    return max(2, 2 * round(size[0] * height / size[1] / 2)), height


def _digest(*parts: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=20).hexdigest()


def _model_identity(comparison: Comparison) -> str:
    file = Path(comparison.model)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.suffix == ".json" else comparison.model


def total_bytes(samples: Sequence[Sample]) -> int:
    """Size of the source's video packets within the samples."""
    return sum(sample.source_bytes for sample in samples)

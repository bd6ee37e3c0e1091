"""A source at one size: brought to it, looked at, and encoded and scored for one row after the other."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.corpus.curves import Curve
from vmaftune.corpus.rows import CorpusRow
from vmaftune.corpus.sources import Source
from vmaftune.encoders.spec import settings_for
from vmaftune.encoding.probe import encode_and_score
from vmaftune.errors import FfmpegError, UserError
from vmaftune.features.measure import Measured, measure
from vmaftune.features.pilot import PilotPlan
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import PASS_THROUGH, Output, command, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.media.facts import MediaFacts, read_facts, shown
from vmaftune.media.samples import Sample, SampleRule, cut
from vmaftune.quality.metric import Asked, Pictures
from vmaftune.quality.vmaf import VMAF

MEZZANINE_ENCODER = "libx264"
_MEZZANINE = {"c:v": MEZZANINE_ENCODER, "preset": "veryfast", "crf": 12}
"""How a source is brought to a lower height: well above anything that is searched for, as a mezzanine file would be."""
_WHOLE = SampleRule(duration_seconds=0.0)


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """A source at one size.

    Attributes:
        source: the file.
        facts: of the file as it is.
        size: width and height in pixels.
        frames: that will be scored, as far as is known before they are counted.
    """

    source: Source
    facts: MediaFacts
    size: tuple[int, int]
    frames: float

    @property
    def key(self) -> RenditionKey:
        """What no other rendition shares."""
        return (self.source.clip, self.size[1])

    @property
    def scaled(self) -> bool:
        """It is smaller than the file."""
        return self.size != (self.facts.width, self.facts.height)

    @property
    def work(self) -> float:
        """Pixels that are encoded and scored for one row; its time is about in proportion."""
        compared = VMAF.decide(Asked(), Pictures(width=self.size[0], height=self.size[1]))
        width, height = compared.size or self.size
        return self.frames * (width * height + self.size[0] * self.size[1])


RenditionKey = tuple[str, int]
"""Clip, and height in pixels."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition whose frames are there and counted."""

    facts: MediaFacts
    sample: Sample
    measured: Measured
    frames: int


def prepare(
    ffmpeg: Ffmpeg,
    rendition: Rendition,
    plan: PilotPlan,
    max_frames: int | None,
    folder: Path,
    on_progress: ProgressCallback | None = None,
) -> Prepared:
    """Bring the source to its size, in a file in ``folder`` that is taken again for another plan, and measure its features.

    Args:
        plan: the pilot among the features, which is another for another encoder.

    Raises:
        UserError: the source cannot be read to its end, or not decoded.
    """
    path, facts = rendition.source.path, rendition.facts
    folder.mkdir(exist_ok=True)
    samples = cut(path, facts, _WHOLE, folder)
    if rendition.scaled:
        scaled = folder / "scaled.mkv"
        if not scaled.exists():
            _scale(ffmpeg, rendition, max_frames, scaled, on_progress)
        facts = read_facts(scaled)
        samples = cut(scaled, facts, _WHOLE, folder)
    measured = measure(ffmpeg, facts, samples, folder, path, plan=plan, max_frames=max_frames)
    return Prepared(facts=facts, sample=samples[0], measured=measured, frames=measured.frames[0])


def _scale(
    ffmpeg: Ffmpeg, rendition: Rendition, max_frames: int | None, path: Path, on_progress: ProgressCallback | None
) -> None:
    source = rendition.source.path
    options = {"vf": "scale={}:{}:flags=bicubic".format(*rendition.size)} | PASS_THROUGH | _MEZZANINE
    options |= {"frames:v": max_frames} if max_frames else {}
    output = Output([read(source)[str(rendition.facts.stream_index)]], path, options)
    try:
        process.run(ffmpeg.path, command(output), on_progress=on_progress)
    except FfmpegError as error:
        raise UserError(f"{shown(source)} cannot be scaled: {error.reason}") from error


def measure_row(
    ffmpeg: Ffmpeg,
    source: Source,
    prepared: Prepared,
    curve: Curve,
    crf: float,
    max_frames: int | None,
    folder: Path,
    on_progress: ProgressCallback | None = None,
) -> CorpusRow:
    """Encode and score a prepared source at one CRF, with one scoring thread.

    Raises:
        VmafTuneError: the encode or the score failed.
    """
    facts = prepared.facts
    settings = settings_for(
        curve.spec,
        preset=curve.preset,
        pix_fmt=None,
        video_filter=f"trim=end_frame={max_frames}" if max_frames else None,
        extra=(),
        source_pix_fmt=facts.pix_fmt,
        source_size=(facts.width, facts.height),
    )
    pictures = Pictures(width=facts.width, height=facts.height, bit_depth=10 if "10" in settings.pix_fmt else 8)
    comparison, scale = VMAF.decide(Asked(), pictures), VMAF.scale(Asked(), pictures, "mean")
    encoded = encode_and_score(
        ffmpeg,
        prepared.sample.path,
        prepared.sample.stream_index,
        prepared.frames,
        settings,
        crf,
        comparison,
        threads=1,
        folder=folder,
        picture=(facts.width, facts.height),
        on_progress=on_progress,
    )
    scores = encoded.frame_scores
    return CorpusRow(
        clip=source.clip,
        source=source.source,
        kind=source.kind,
        encoder=curve.spec.name,
        preset=curve.preset,
        crf=crf,
        features=prepared.measured.features.values,
        feature_schema=prepared.measured.features.schema,
        vmaf_mean=round(VMAF.pooled(scores, "mean"), 5),
        vmaf_harmonic_mean=round(VMAF.pooled(scores, "harmonic_mean"), 5),
        vmaf_min=round(VMAF.pooled(scores, "min"), 5),
        vmaf_p5=round(VMAF.pooled(scores, "p5"), 5),
        bitrate_kbps=round(encoded.encoded_bytes * 8 / 1000 / (prepared.frames / facts.fps), 3),
        frames=prepared.frames,
        probe_seconds=round(encoded.encode_seconds + encoded.score_seconds, 3),
        width=facts.width,
        height=facts.height,
        ffmpeg=ffmpeg.version,
        vmaf_model=comparison.model,
        scale="" if scale.usual else scale.identity,
    )

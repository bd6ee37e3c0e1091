"""Tools that look for a CRF, and the one that lists models."""

from __future__ import annotations

from typing import Annotated, Literal

import anyio.to_thread
import msgspec
import numpy as np
from msgspec import Meta

from vmaftune import models
from vmaftune.contract.records import ProbeRecord
from vmaftune.jobs.predict import PredictReport
from vmaftune.jobs.search_report import SearchReport, StopReport
from vmaftune.mcp_server.meter import Meter
from vmaftune.mcp_server.tool import (
    SCORE_OPTIONS,
    Answer,
    Arguments,
    MetricName,
    Name,
    Pool,
    Tool,
    Video,
    VideoStream,
    VmafGeneration,
    VmafModel,
    VmafScale,
    Work,
)
from vmaftune.quality.scored import Scored, ScoredReport, scored_as
from vmaftune.quality.targets import TARGET_OPTIONS, TARGETS, metric_named, target_named
from vmaftune.quality.vmaf import MODELS

_CURVE_POINTS = 13
_BAND_90 = 1.645

Target = Annotated[
    float, Meta(ge=0, description="Score to reach, in the metric's unit; left out: VMAF 95, XPSNR 40 dB.")
]
OwnTarget = Annotated[float, Meta(gt=0, le=110, description="Names the metric and its score to reach at once.")]


class SourceArguments(Arguments, frozen=True, kw_only=True):
    """A source and how it is to be encoded."""

    source: Video
    video_stream: VideoStream | None = None
    encoder: (
        Annotated[Name, Meta(description="ffmpeg's name, such as libx264, libx265, libsvtav1 (default).")] | None
    ) = None
    preset: Name | None = None
    pix_format: Annotated[Name, Meta(description="Pixel format of the encode.")] | None = None
    min_score: Target | None = None
    min_vmaf: OwnTarget | None = None
    min_xpsnr: OwnTarget | None = None
    min_crf: float | None = None
    max_crf: float | None = None
    samples: Annotated[int, Meta(ge=1, le=100, description="Spans of the source that are looked at.")] | None = None
    sample_duration: Annotated[float, Meta(ge=0, description="Seconds of a span; 0: the whole source.")] | None = None
    plugins: Annotated[
        tuple[Name, ...], Meta(max_length=8, description="Corrections to switch on, such as ridge-sidecar.")
    ] = ()
    metric: MetricName | None = None
    vmaf_model: VmafModel | None = None
    vmaf_generation: VmafGeneration | None = None
    vmaf_scale: VmafScale | None = None
    pool: Pool | None = None

    def target(self) -> float | None:
        """The score to reach; None leaves it to the metric."""
        return target_named({name: getattr(self, name) for name in TARGET_OPTIONS})

    def encode(self, work: Work) -> list[str]:
        """The command line's words for the source and its encode."""
        names = ("video_stream", "encoder", "preset", "pix_format", "min_crf", "max_crf", "samples", "sample_duration")
        on = [word for name in self.plugins for word in ("--plugin", name)]
        metric = metric_named({name: getattr(self, name) for name in ("metric", *TARGETS)})
        how = [*self.options(*names, *SCORE_OPTIONS), *(["--metric", metric] if metric else [])]
        return ["--input", str(work.roots.video(self.source)), *how, *on, "--safe"]


class CurvePoint(Scored, frozen=True, kw_only=True):
    """The score that is expected at a CRF, and the band in which it lies in 90 of 100 cases."""

    crf: float
    score: float
    vmaf: float | None = None
    low: float
    high: float


class PredictedCrf(ScoredReport, frozen=True, kw_only=True):
    """What predict_crf gives.

    Attributes:
        crf: the coarsest one that is expected to reach the target; the finest there is where none is.
        score, vmaf, low, high: what is expected there.
        target: what was asked.
        target_expected: whether ``crf`` is expected to reach it.
        verified: never: nothing was encoded but pilots.
        encoder, preset, predictor: of the prediction.
        notes: what a person should know.
        curve: points of the whole curve, best quality first.
    """

    crf: float
    score: float
    vmaf: float | None = None
    low: float
    high: float
    target: float
    target_expected: bool
    verified: Literal[False]
    encoder: str
    preset: str | None
    predictor: str
    notes: list[str]
    curve: list[CurvePoint]


async def predict_crf(work: Work, asked: SourceArguments) -> Answer:
    """The CRF that is expected to reach a VMAF or another score, with its uncertainty, in seconds.

    Nothing is verified: crf_search does that.
    """
    named = asked.target()
    report = (await work.jobs.run("predict", asked.encode(work), Meter(work.report, None))).predict
    assert isinstance(report, PredictReport)
    target = report.measure.default_target if named is None else named
    reaching = [place for place, score in enumerate(report.score) if report.measure.reaches(score, target)]
    chosen = _point(report, max(reaching, default=0))
    places = np.unique(np.linspace(0, len(report.crfs) - 1, _CURVE_POINTS).round().astype(int))
    return Answer(
        result=PredictedCrf(
            **scored_as(report),
            crf=chosen.crf,
            score=chosen.score,
            low=chosen.low,
            high=chosen.high,
            target=target,
            target_expected=bool(reaching),
            verified=False,
            encoder=report.encoder,
            preset=report.preset,
            predictor=report.predictor,
            notes=report.notes,
            curve=[_point(report, int(place)) for place in places],
        )
    )


class SearchArguments(SourceArguments, frozen=True, kw_only=True):
    """What crf_search takes."""

    tolerance: Annotated[float, Meta(ge=0, le=20, description="How far above the target is good enough.")] | None = None
    max_encoded_percent: (
        Annotated[float, Meta(gt=0, description="Largest encode, in percent of the source's video.")] | None
    ) = None
    max_probes: Annotated[int, Meta(ge=1, le=50, description="Trial encodes at most.")] | None = None


class FoundCrf(ScoredReport, frozen=True, kw_only=True):
    """What crf_search gives.

    Attributes:
        crf, score, vmaf: the result and its verified score; the closest one where the target is not met.
        target, tolerance, target_met: what was asked, and whether it is reached.
        message: why it is not.
        encoder, preset, pix_fmt: of the encode.
        probes: trial encodes, cached ones too.
        stop: why the search ended.
        notes: what a person should know.
        total_seconds: wall time.
        encode_command: the ffmpeg command of the full encode.
    """

    crf: float
    score: float
    vmaf: float | None = None
    target: float
    tolerance: float
    target_met: bool
    message: str | None
    encoder: str
    preset: str | None
    pix_fmt: str
    probes: list[ProbeRecord]
    stop: StopReport
    notes: list[str]
    total_seconds: float
    encode_command: str


async def crf_search(work: Work, asked: SearchArguments) -> Answer:
    """The coarsest CRF (smallest encode) whose VERIFIED VMAF, or other score, reaches a target, found in a few trial encodes.

    Takes from seconds to many minutes; progress tells of every trial encode, and a cancelled call ends at once.
    """
    names = (*TARGET_OPTIONS, "tolerance", "max_encoded_percent", "max_probes")
    words = [*asked.encode(work), *asked.options(*names)]
    ended = await work.jobs.run("crf-search", words, Meter(work.report, None))
    assert isinstance(ended.search, SearchReport)
    report = ended.search
    fields = {name: getattr(report, name) for name in FoundCrf.__struct_fields__ if name != "message"}
    return Answer(result=FoundCrf(message=ended.message, **fields))


class ListArguments(Arguments, frozen=True, kw_only=True):
    """list_models takes nothing."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model.

    Attributes:
        id, version, origin: name, name and hash, ``shipped`` or the user's ``own``.
        kind: ``population`` and ``predictor`` predict curves for predict_crf and crf_search; ``fr`` scores for compare_models.
        encoders: with presets, that it was made for.
        metrics: held-out figures by name.
        smoke: made to try the training out, not to be used.
    """

    id: str
    version: str
    origin: str
    kind: str
    encoders: list[str]
    metrics: dict[str, float]
    smoke: bool


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What list_models gives: registered models, and those of libvmaf itself."""

    models: list[Listed]
    vmaf_models: list[str]


async def list_models(work: Work, asked: ListArguments) -> Answer:
    """The models there are: those that predict curves, small ones that score, and VMAF's own."""
    found = await anyio.to_thread.run_sync(models.entries)
    listed = [
        Listed(
            id=model.id,
            version=model.version,
            origin=model.origin,
            kind=model.kind,
            encoders=list(model.encoders),
            metrics=dict(model.metrics),
            smoke=model.smoke,
        )
        for model in found
    ]
    return Answer(result=Listing(models=listed, vmaf_models=list(MODELS)))


def _point(report: PredictReport, place: int) -> CurvePoint:
    score, reach, measure = report.score[place], _BAND_90 * report.deviation[place], report.measure
    low, high = round(max(measure.lowest, score - reach), 3), round(min(measure.highest, score + reach), 3)
    return CurvePoint(metric=report.metric, crf=report.crfs[place], score=score, low=low, high=high)


TOOLS = (
    Tool(name="predict_crf", title="Expected CRF", takes=SourceArguments, gives=PredictedCrf, run=predict_crf),
    Tool(name="crf_search", title="Verified CRF", takes=SearchArguments, gives=FoundCrf, run=crf_search),
    Tool(name="list_models", title="Models", takes=ListArguments, gives=Listing, run=list_models),
)

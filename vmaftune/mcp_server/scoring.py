"""Tools that compare an encode with its reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from vmaftune import models
from vmaftune.errors import UserError
from vmaftune.events.schema import Result
from vmaftune.jobs.score import ScoreReport
from vmaftune.jobs.worst_frames import WorstFramesReport
from vmaftune.mcp_server.meter import Meter
from vmaftune.mcp_server.tool import (
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
from vmaftune.nearest import meant
from vmaftune.quality.scored import Scored, ScoredReport, scored_as
from vmaftune.quality.vmaf import MODELS
from vmaftune.state.workspace import workspace

_FIRST: VmafModel = "vmaf_v0.6.1"
_SECOND: VmafModel = "vmaf_v0.6.1neg"
_TINY = "fr"

_RAW_OPTIONS = ("width", "height", "pix_fmt", "fps")

_Side = Annotated[int, Meta(ge=1, le=16384, description="Of raw video (.yuv) alone: size of its pictures in pixels.")]


class PairArguments(Arguments, frozen=True, kw_only=True):
    """Two videos with as many frames. Raw video (``.yuv``) needs ``width`` and ``height``."""

    reference: Video
    distorted: Video
    video_stream: VideoStream | None = None
    distorted_stream: VideoStream | None = None
    width: _Side | None = None
    height: _Side | None = None
    pix_fmt: Annotated[Name, Meta(description="Of raw video alone, such as yuv420p10le.")] | None = None
    fps: Annotated[float, Meta(gt=0, description="Of raw video alone; changes no score.")] | None = None
    vmaf_scale: VmafScale | None = None

    def pair(self, work: Work) -> list[str]:
        """The command line's words for the two files and how they are read."""
        files = [str(work.roots.video(name, raw=True)) for name in (self.reference, self.distorted)]
        return [*self.options(*_RAW_OPTIONS, "video_stream", "distorted_stream", "vmaf_scale"), "--", *files]


class ScoreArguments(PairArguments, frozen=True, kw_only=True):
    """What vmaf_score takes."""

    metric: MetricName | None = None
    vmaf_model: VmafModel | None = None
    vmaf_generation: VmafGeneration | None = None
    pool: Pool | None = None
    per_frame: Annotated[bool, Meta(description="The score of every frame too.")] = False


async def vmaf_score(work: Work, asked: ScoreArguments) -> Answer:
    """VMAF (0 to 100), or another metric, of an encode against its reference, frame by frame in order: pooled, lowest, and
    the mean features.

    Both need the same number of frames; a different size is scaled to the comparison's.
    """
    words = [
        *asked.options("metric", "vmaf_model", "vmaf_generation", "pool"),
        *(["--per-frame"] if asked.per_frame else []),
        *asked.pair(work),
    ]
    return Answer(result=_score(await work.jobs.run("score", words, Meter(work.report, 1))))


class CompareArguments(PairArguments, frozen=True, kw_only=True):
    """What compare_models takes."""

    models: (
        Annotated[
            list[Name],
            Meta(max_length=12, description="VMAF's models and tiny ones; left out: two of VMAF's, and all tiny ones."),
        ]
        | None
    ) = None


class ModelScore(msgspec.Struct, frozen=True, kw_only=True):
    """What one model says of the pair.

    Attributes:
        model: its name.
        kind: ``vmaf`` (libvmaf's own) or ``tiny`` (a small network on libvmaf's features).
        vmaf, min: mean and lowest over frames.
        off: its mean less that of the first model, in VMAF.
        rmse: root of the mean squared difference from the first model of each frame, in VMAF.
        plcc: Pearson correlation with the first model over frames; None where either does not vary.
    """

    model: str
    kind: Literal["vmaf", "tiny"]
    vmaf: float
    min: float
    off: float
    rmse: float
    plcc: float | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What compare_models gives; ``scores`` begins with vmaf_v0.6.1, which the others are held against."""

    frames: int
    scores: list[ModelScore]


async def compare_models(work: Work, asked: CompareArguments) -> Answer:
    """What several full-reference models say of one pair: vmaf_v0.6.1 first, and how far each of the others is from it.

    Shows whether a small model can be believed on this kind of video, and (with vmaf_v0.6.1neg) how much of a score is
    enhancement.
    """
    tiny = [model.id for model in models.entries() if model.kind == _TINY]
    known = list(MODELS)
    names = list(dict.fromkeys([_FIRST, *(asked.models if asked.models is not None else [_SECOND, *tiny])]))
    for name in names:
        if name not in known and name not in tiny:
            near = meant(name, [*known, *tiny])
            raise UserError(f"there is no full-reference model {name!r}; there is: {', '.join([*known, *tiny])}{near}")
    pair = asked.pair(work)
    scores: list[ModelScore] = []
    first = np.zeros(0)
    for number, name in enumerate(names):
        chosen = ["--vmaf-model", name] if name in known else ["--vmaf-model", _FIRST, "--model", name]
        meter = Meter(work.report, len(names), number)
        words = ["--pool", "mean", "--per-frame", *chosen, *pair]
        report = _score(await work.jobs.run("score", words, meter))
        said = np.array(report.per_frame if report.tiny is None else report.tiny.per_frame)
        first = said if number == 0 else first
        scores.append(_beside(name, "vmaf" if name in known else "tiny", said, first))
    return Answer(result=Comparison(frames=len(first), scores=scores))


class WorstArguments(PairArguments, frozen=True, kw_only=True):
    """What describe_worst_frames takes."""

    metric: MetricName | None = None
    vmaf_model: VmafModel | None = None
    vmaf_generation: VmafGeneration | None = None
    count: Annotated[int, Meta(ge=1, le=10, description="How many frames at most.")] = 3
    apart: Annotated[int, Meta(ge=1, description="So many frames from each other at least.")] = 1
    picture_width: Annotated[int, Meta(ge=16, le=1920, description="Of each half of a picture at most, in pixels.")] = (
        480
    )
    pictures: Annotated[
        bool, Meta(description="Whether to give pictures, reference on the left, encode on the right.")
    ] = True


class FrameDescription(Scored, frozen=True, kw_only=True):
    """One frame: index from 0, when the reference shows it, its score, and libvmaf's features of it."""

    index: int
    time_seconds: float
    score: float
    vmaf: float | None = None
    features: dict[str, float]


class WorstFrames(ScoredReport, frozen=True, kw_only=True):
    """What describe_worst_frames gives, worst first, as the pictures come; ``score`` is the mean of all ``frames``."""

    score: float
    vmaf: float | None = None
    frames: int
    worst: list[FrameDescription]


async def describe_worst_frames(work: Work, asked: WorstArguments) -> Answer:
    """The frames of an encode with the worst VMAF, or other score: index, time, score and features, and a picture of
    reference | encode."""
    pair = asked.pair(work)
    with workspace() as folder:
        words = asked.options("metric", "vmaf_model", "vmaf_generation", "count", "apart")
        if asked.pictures:
            words += ["--pictures", str(folder / "pictures"), *asked.options("picture_width")]
        report = (await work.jobs.run("worst-frames", [*words, *pair], Meter(work.report, 1))).worst_frames
        assert isinstance(report, WorstFramesReport)
        pictures = [
            (
                f"frame {frame.index}, {frame.time_seconds:.3f} s, {report.measure.text(frame.score)}: reference | encode",
                _read(frame.picture),
            )
            for frame in report.worst
            if frame.picture is not None
        ]
    worst = [
        FrameDescription(
            metric=f.metric, index=f.index, time_seconds=f.time_seconds, score=f.score, features=f.features
        )
        for f in report.worst
    ]
    result = WorstFrames(**scored_as(report), score=report.score, frames=report.frames, worst=worst)
    return Answer(result=result, pictures=pictures)


def _read(picture: str) -> bytes:
    return Path(picture).read_bytes()


def _score(result: Result) -> ScoreReport:
    assert isinstance(result.score, ScoreReport)
    return result.score


def _beside(name: str, kind: Literal["vmaf", "tiny"], said: np.ndarray, first: np.ndarray) -> ModelScore:
    varies = len(said) > 1 and said.std() > 0 and first.std() > 0
    return ModelScore(
        model=name,
        kind=kind,
        vmaf=round(float(said.mean()), 6),
        min=round(float(said.min()), 6),
        off=round(float(said.mean() - first.mean()), 6),
        rmse=round(float(np.sqrt(np.mean((said - first) ** 2))), 6),
        plcc=round(float(np.corrcoef(said, first)[0, 1]), 6) if varies else None,
    )


TOOLS = (
    Tool(name="vmaf_score", title="VMAF of an encode", takes=ScoreArguments, gives=ScoreReport, run=vmaf_score),
    Tool(
        name="compare_models", title="Models side by side", takes=CompareArguments, gives=Comparison, run=compare_models
    ),
    Tool(
        name="describe_worst_frames",
        title="Worst frames",
        takes=WorstArguments,
        gives=WorstFrames,
        run=describe_worst_frames,
    ),
)

"""The score of one video against another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from vmaftune.encoding.probe import score_files
from vmaftune.errors import FfmpegError, UserError
from vmaftune.ffmpeg.command import KEEP_FILTERS, Stream, read
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.process import ProgressCallback
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.session import Session, names_origins
from vmaftune.media.facts import check_is_file, shown
from vmaftune.media.raw import PIX_FMT, Geometry
from vmaftune.models.full_reference import open_tiny_model
from vmaftune.quality.compare import check_pairing
from vmaftune.quality.metric import Comparison, FloatArray, Metric, Pictures
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.quality.scored import ScoredReport, scored_by
from vmaftune.state.workspace import workspace
from vmaftune.tiny.beside import TinyScore, tiny_score


class ScoreReport(ScoredReport, frozen=True, kw_only=True):
    """What ``score --json`` prints. ``features`` are means over frames of what the metric measures beside the
    score; ``per_frame`` is there where it is asked for, and ``tiny`` where a tiny model is.
    """

    score: float
    vmaf: float | None = None
    pool: str
    min: float
    harmonic_mean: float | None
    frames: int
    features: dict[str, float]
    ffmpeg: str
    per_frame: list[float] | None
    tiny: TinyScore | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A video that is compared.

    Attributes:
        path: the file.
        options: ffmpeg's, of the input.
        stream_index: of its video.
        width, height: in pixels.
        bit_depth: bits per component.
        fps: frames per second; 0 where nothing says.
        hdr: whether its transfer is PQ or HLG.
        frames: as many as it is thought to have, for progress; 0 where nothing says.
    """

    path: Path
    options: dict[str, Any] = {}
    stream_index: int
    width: int
    height: int
    bit_depth: int
    fps: float
    hdr: bool
    frames: int

    @property
    def opened(self) -> Stream:
        """As an input of a command."""
        return read(self.path, KEEP_FILTERS | self.options)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Two videos compared frame by frame.

    Attributes:
        metrics: of each frame, by name, with those that the score is made of.
        comparison, scale: how they were compared, and of what the scores are.
        ffmpeg: what compared them.
        reference, distorted: the videos.
    """

    metrics: list[dict[str, float]]
    comparison: Comparison
    scale: Scale
    ffmpeg: Ffmpeg
    reference: Input
    distorted: Input


@names_origins
def run_score(
    session: Session,
    reference: Path,
    distorted: Path,
    raw: Mapping[str, Any],
    *,
    per_frame: bool,
    model: str | None = None,
    observer: JobObserver | None = None,
) -> ScoreReport:
    """Score two files frame by frame in order.

    Args:
        raw: geometry of raw video, by the names of vmaftune.jobs.options.RawOptions.
        model: tiny model whose score is told beside the real one: a registered one's name, or an ONNX file.

    Raises:
        UserError: a file cannot be read, an option or the tiny model is wrong, or they do not have as many frames.
    """
    settings = session.score_settings()
    pool = settings.pool
    if model is not None and settings.metric.name != USUAL.metric:
        raise UserError(
            f"--model {model}: tiny models are beside VMAF alone; leave out --metric {settings.metric.name}"
        )
    tiny = open_tiny_model(model)[0] if model is not None else None
    compared = compare(session, reference, distorted, raw, observer)
    metric = compared.comparison.metric
    scores = metric.scores(compared.metrics)
    each = metric.of_frames(scores)
    return ScoreReport(
        **scored_by(compared.comparison, compared.scale),
        score=round(metric.pooled(scores, pool), 6),
        pool=pool,
        min=float(each.min()),
        harmonic_mean=harmonic_mean(metric, scores),
        frames=len(scores),
        features=_means([metric.features(frame) for frame in compared.metrics]),
        ffmpeg=compared.ffmpeg.version,
        per_frame=each.tolist() if per_frame else None,
        tiny=tiny_score(tiny, model, compared.metrics, pool, per_frame=per_frame) if tiny and model else None,
    )


def compare(
    session: Session, reference: Path, distorted: Path, raw: Mapping[str, Any], observer: JobObserver | None = None
) -> Compared:
    """Compare two files frame by frame in order. Arguments and errors as of run_score."""
    ffmpeg = session.ffmpeg()
    first = _input(session, ffmpeg, reference, raw, "video_stream")
    second = _input(session, ffmpeg, distorted, raw, "distorted_stream")
    pictures = Pictures(
        width=first.width,
        height=first.height,
        bit_depth=max(first.bit_depth, second.bit_depth),
        fps=first.fps,
        hdr=first.hdr,
        encoded=(second.width, second.height),
        encoded_depth=second.bit_depth,
    )
    settings = session.score_settings()
    comparison, scale = settings.decide(pictures), settings.scale(pictures)
    for line in comparison.notes:
        session.warn(line)
    if comparison.size is None and (first.width, first.height) != (second.width, second.height):
        comparison = msgspec.structs.replace(comparison, size=(first.width, first.height))
    with workspace() as folder:
        try:
            scored = score_files(
                ffmpeg,
                (first.opened, first.stream_index),
                (second.opened, second.stream_index),
                comparison,
                threads=session.threads(),
                folder=folder,
                pictures=((first.width, first.height), (second.width, second.height)),
                on_progress=_share_of(max(first.frames, second.frames), observer),
            )
        except FfmpegError as error:
            raise UserError(f"cannot score {shown(distorted)} against {shown(reference)}: {error.reason}") from error
    if scored.damage:
        session.warn(f"one of the two videos is damaged, and is used as ffmpeg decodes it ({scored.damage})")
    if scored.reference_frames != scored.distorted_frames:
        raise UserError(
            f"{shown(reference)} has {scored.reference_frames} frames and {shown(distorted)} has "
            f"{scored.distorted_frames}: they cannot be paired"
        )
    check_pairing(len(scored.metrics), scored.reference_frames, shown(distorted))
    return Compared(
        metrics=scored.metrics, comparison=comparison, scale=scale, ffmpeg=ffmpeg, reference=first, distorted=second
    )


def _share_of(frames: int, observer: JobObserver | None) -> ProgressCallback | None:
    """Tells ``observer`` the share of ``frames`` that is done."""
    if observer is None or frames == 0:
        return None
    return lambda done: observer.score_progress(min(1.0, done / frames))


def _input(session: Session, ffmpeg: Ffmpeg, path: Path, raw: Mapping[str, Any], option: str) -> Input:
    """A video; ``option`` names the stream to take of a file that holds several."""
    check_is_file(path)
    if path.suffix.lower() != ".yuv":
        facts = session.facts(ffmpeg, path, option)
        return Input(
            path=path,
            stream_index=facts.stream_index,
            width=facts.width,
            height=facts.height,
            bit_depth=facts.bit_depth,
            fps=facts.fps,
            hdr=facts.hdr,
            frames=facts.declared_frames or round(facts.duration_seconds * facts.fps),
        )
    width, height, name = raw.get("width"), raw.get("height"), raw.get("pix_fmt") or PIX_FMT
    if width is None or height is None:
        raise UserError(f"{shown(path)} is raw video: say how large its pictures are with --width and --height")
    fps = raw.get("fps")
    if fps is not None and not fps > 0:
        raise UserError(f"--fps {fps:g} must be above 0")
    geometry = Geometry(width, height, name)
    whole, rest = divmod(path.stat().st_size, geometry.frame_bytes)
    if rest:
        raise UserError(
            f"{shown(path)} is not a whole number of {geometry} frames: it has {path.stat().st_size} bytes, a frame has "
            f"{geometry.frame_bytes}"
        )
    return Input(
        path=path,
        options=geometry.options | ({"framerate": fps} if fps else {}),
        stream_index=0,
        width=width,
        height=height,
        bit_depth=geometry.bit_depth,
        fps=fps or 0.0,
        hdr=False,
        frames=whole,
    )


def harmonic_mean(metric: Metric, scores: FloatArray) -> float | None:
    """Of all frames; None where the metric has none."""
    try:
        metric.check_pool("harmonic_mean")
    except UserError:
        return None
    return round(metric.pooled(scores, "harmonic_mean"), 6)


def _means(frames: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean over frames of each of their features."""
    return {name: float(np.mean([frame[name] for frame in frames])) for name in frames[0]}

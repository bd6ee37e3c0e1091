"""A closer look at the result of a search: the scores of its frames, and pictures of the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import PreparedSource, prepare
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.encode import input_arguments, of_one_size, video_arguments
from vmaftune.ffmpeg.escape import file_url
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.session import Session
from vmaftune.jobs.worst_frames import lowest
from vmaftune.media.facts import MediaFacts
from vmaftune.report.pictures import Image, Pair, Video, as_pairs, take_frames
from vmaftune.state.workspace import workspace
from vmaftune.types import FloatArray

WORST = 4
APART_SECONDS = 1.0
PICTURES_BYTES = 700_000


@dataclass(frozen=True, kw_only=True)
class Span:
    """Consecutive frames that were scored.

    Attributes:
        start_seconds: where they begin in the source.
        frames: how many.
        seconds: how long they last.
    """

    start_seconds: float
    frames: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame.

    Attributes:
        span, index: its span, and its number within that; both from 0.
        place: its number among all that were scored.
        seconds: when the source shows it, by the mean frame rate.
        vmaf: its score.
        pair: its pictures, where there are any.
    """

    span: int
    index: int
    place: int
    seconds: float
    vmaf: float
    pair: Pair | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen.

    Attributes:
        facts: of the source; None where it could not be read again.
        spans: what was scored.
        scores: VMAF of every frame, shape (frames,); None where they are not known.
        worst: the frames with the lowest scores, lowest first.
        made_from: what the pictures were made from, in a sentence.
        problem: why something is missing, in a sentence.
    """

    facts: MediaFacts | None = None
    spans: Sequence[Span] = ()
    scores: FloatArray | None = None
    worst: Sequence[Frame] = ()
    made_from: str = ""
    problem: str = ""


def look_at_search(
    session: Session, path: Path, crf: float, on_progress: Callable[[float], None] = lambda share: None
) -> Look:
    """A look at the verifying probe at ``crf``, whose scores the session's cache holds.

    A probe leaves no file, so the samples that the worst frames are in are encoded once more. What fails is said in the look.

    Args:
        on_progress: called with the share of that encode that is done, 0 to 1.
    """
    try:
        ffmpeg = session.ffmpeg()
        spec = session.encoder(ffmpeg)
        with workspace() as folder:
            source = prepare(ffmpeg, path, session.encode_request(spec), session.store, folder)
            prober = Prober(ffmpeg, source, pool="mean", threads=1, store=session.store, folder=folder)
            look = Look(facts=source.facts, spans=_spans(source), scores=prober.frame_scores(crf))
            if look.scores is None:
                return replace(look, problem="The scores of single frames were not kept.")
            look = replace(look, worst=worst_frames(look.scores, look.spans))
            try:
                return _with_pictures(look, ffmpeg, source, crf, folder, on_progress)
            except VmafTuneError as error:
                return replace(look, problem=f"There are no pictures: {error}.")
    except VmafTuneError as error:
        return Look(problem=f"The source could not be read again: {error}.")


def worst_frames(scores: FloatArray, spans: Sequence[Span]) -> list[Frame]:
    """The frames with the lowest scores, lowest first, at least a second apart where there are enough."""
    seconds = sum(span.seconds for span in spans)
    apart = max(1, round(APART_SECONDS * len(scores) / seconds)) if seconds > 0 else 1
    chosen = lowest(scores, WORST, apart)
    ends = np.cumsum([span.frames for span in spans])
    frames = []
    for place in chosen:
        at = int(np.searchsorted(ends, place, side="right"))
        span = spans[at]
        index = place - int(ends[at]) + span.frames
        when = span.start_seconds + span.seconds * index / span.frames
        frames.append(Frame(span=at, index=index, place=place, seconds=when, vmaf=float(scores[place])))
    return frames


def with_pairs(look: Look, images: dict[tuple[int, int], tuple[Image, Image]], made_from: str) -> Look:
    """The look with the pictures of its worst frames, by span and index."""
    keys = list(images)
    pairs = as_pairs({number: images[key] for number, key in enumerate(keys)}, PICTURES_BYTES)
    worst = [replace(frame, pair=pairs[keys.index((frame.span, frame.index))]) for frame in look.worst]
    return replace(look, worst=worst, made_from=made_from)


def _spans(source: PreparedSource) -> list[Span]:
    # By the frames before the filters: those change how many there are more often than how long they last.
    return [
        Span(start_seconds=sample.start_seconds, frames=count, seconds=before / source.facts.fps)
        for sample, count, before in zip(source.samples, source.frames, source.measured.frames, strict=True)
    ]


def _with_pictures(
    look: Look, ffmpeg: Ffmpeg, source: PreparedSource, crf: float, folder: Path, on_progress: Callable[[float], None]
) -> Look:
    concerned = sorted({frame.span for frame in look.worst})
    total, done = sum(source.frames[at] for at in concerned), 0
    settings = of_one_size(source.settings, (source.facts.width, source.facts.height))
    images: dict[tuple[int, int], tuple[Image, Image]] = {}
    for at in concerned:
        sample, frames = source.samples[at], source.frames[at]

        def progress(frame: int, done: int = done) -> None:
            on_progress(min(1.0, (done + frame) / total))

        encode = folder / "look.mkv"
        arguments = [*input_arguments(sample.path, settings), "-map", f"0:{sample.stream_index}"]
        arguments += [*video_arguments(settings, crf), "-f", "matroska", file_url(encode)]
        process.run(ffmpeg.path, arguments, on_progress=progress)
        reference = Video(path=sample.path, stream_index=sample.stream_index, chain=settings.video_filter)
        indices = [frame.index for frame in look.worst if frame.span == at]
        taken = take_frames(ffmpeg, reference, Video(path=encode, stream_index=0), indices, frames, folder)
        images |= {(at, index): both for index, both in taken.items()}
        encode.unlink()
        done += frames
    made_from = (
        "A probe leaves no file behind, so the pictures are of one more encode with the same settings; "
        "the scores are the probe's."
    )
    return with_pairs(look, images, made_from)

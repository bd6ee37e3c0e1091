"""A closer look at the result of a search: the scores of its frames, and pictures of the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.crf_search.prober import Prober
from vmaftune.crf_search.source import PreparedSource
from vmaftune.encoding.arguments import encoded, of_one_size
from vmaftune.errors import VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import command
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.session import Session
from vmaftune.jobs.worst_frames import lowest
from vmaftune.media.facts import MediaFacts, read_facts
from vmaftune.report.pictures import Image, Pair, Video, as_pairs, take_frames
from vmaftune.state.workspace import workspace

WORST = 4
APART_SECONDS = 1.0
PICTURES_BYTES = 700_000

Progress = Callable[[float], None]

_NOT_KEPT = "The scores of single frames were not kept."


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
        score: of it.
        pair: its pictures, where there are any.
    """

    span: int
    index: int
    place: int
    seconds: float
    score: float
    pair: Pair | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen.

    Attributes:
        facts: of the source; None where it could not be read again.
        spans: what was scored.
        scores: of every frame, shape (frames,); None where they are not known.
        worst: the frames with the worst scores, worst first.
        made_from: what the pictures were made from, in a sentence.
        problem: why something is missing, in a sentence.
    """

    facts: MediaFacts | None = None
    spans: Sequence[Span] = ()
    scores: FloatArray | None = None
    worst: Sequence[Frame] = ()
    made_from: str = ""
    problem: str = ""


def look_at_search(session: Session, path: Path, crf: float, on_progress: Progress = lambda share: None) -> Look:
    """A look at the verifying probe at ``crf``, whose scores the session's cache holds.

    A probe leaves no file, so the samples that the worst frames are in are encoded once more. What fails is said in the look.

    Args:
        on_progress: called with the share of that encode that is done, 0 to 1.
    """
    return _look(
        session, path, lambda ffmpeg, source, folder: _at_probe(session, ffmpeg, source, crf, folder, on_progress)
    )


def look_at_encode(
    session: Session,
    path: Path,
    encode: Path,
    crf: float,
    scores: FloatArray | None,
    on_progress: Progress = lambda share: None,
) -> Look:
    """A look at a full encode: at all of it where every frame was scored, else at its search's probe.

    Args:
        scores: of every frame of the encode, shape (frames,); None where it was not measured.
        on_progress: as in look_at_search.
    """

    def look(ffmpeg: Ffmpeg, source: PreparedSource, folder: Path) -> Look:
        whole = scores is not None or source.samples[0].path == source.path
        if not whole:
            return _at_probe(session, ffmpeg, source, crf, folder, on_progress)
        known = _scores(session, ffmpeg, source, crf, folder) if scores is None else scores
        seen = Look(facts=source.facts, scores=known)
        if known is None:
            return replace(seen, problem=_NOT_KEPT)
        span = Span(start_seconds=0.0, frames=len(known), seconds=source.facts.duration_seconds)
        seen = replace(seen, spans=[span], worst=worst_frames(known, [span], _sign(source)))
        return _or_why_not(seen, lambda: _of_file(seen, ffmpeg, source, encode, folder))

    return _look(session, path, look)


def _look(session: Session, path: Path, look: Callable[[Ffmpeg, PreparedSource, Path], Look]) -> Look:
    try:
        ffmpeg = session.ffmpeg()
        with workspace() as folder:
            return look(ffmpeg, session.prepared(ffmpeg, path, folder), folder)
    except VmafTuneError as error:
        return Look(problem=f"The source could not be read again: {error}.")


def _at_probe(
    session: Session, ffmpeg: Ffmpeg, source: PreparedSource, crf: float, folder: Path, on_progress: Progress
) -> Look:
    look = Look(facts=source.facts, spans=_spans(source), scores=_scores(session, ffmpeg, source, crf, folder))
    if look.scores is None:
        return replace(look, problem=_NOT_KEPT)
    look = replace(look, worst=worst_frames(look.scores, look.spans, _sign(source)))
    return _or_why_not(look, lambda: _of_samples(look, ffmpeg, source, crf, folder, on_progress))


def _scores(session: Session, ffmpeg: Ffmpeg, source: PreparedSource, crf: float, folder: Path) -> FloatArray | None:
    prober = Prober(ffmpeg, source, threads=1, store=session.store, folder=folder)
    return prober.frame_scores(crf)


def _or_why_not(look: Look, pictures: Callable[[], Look]) -> Look:
    try:
        return pictures()
    except VmafTuneError as error:
        return replace(look, problem=f"There are no pictures: {error}.")


def _sign(source: PreparedSource) -> float:
    return 1.0 if source.comparison.metric.higher_is_better else -1.0


def worst_frames(scores: FloatArray, spans: Sequence[Span], sign: float = 1.0) -> list[Frame]:
    """The frames with the worst scores, worst first, at least a second apart where there are enough.

    Args:
        sign: what scores are multiplied by so that more is better.
    """
    seconds = sum(span.seconds for span in spans)
    apart = max(1, round(APART_SECONDS * len(scores) / seconds)) if seconds > 0 else 1
    chosen = lowest(sign * scores, WORST, apart)
    ends = np.cumsum([span.frames for span in spans])
    frames = []
    for place in chosen:
        at = int(np.searchsorted(ends, place, side="right"))
        span = spans[at]
        index = place - int(ends[at]) + span.frames
        when = span.start_seconds + span.seconds * index / span.frames
        frames.append(Frame(span=at, index=index, place=place, seconds=when, score=float(scores[place])))
    return frames


def _spans(source: PreparedSource) -> list[Span]:
    return [
        Span(start_seconds=sample.start_seconds, frames=count, seconds=seconds)
        for sample, count, seconds in zip(source.samples, source.frames, source.seconds, strict=True)
    ]


def _of_samples(
    look: Look, ffmpeg: Ffmpeg, source: PreparedSource, crf: float, folder: Path, on_progress: Progress
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
        output = encoded(sample.path, sample.stream_index, settings, crf, encode, {"f": "matroska"})
        arguments = command(output, first=settings.spec.device_arguments)
        process.run(ffmpeg.path, arguments, on_progress=progress)
        reference = Video(path=sample.path, stream_index=sample.stream_index, chain=settings.video_filter)
        indices = [frame.index for frame in look.worst if frame.span == at]
        taken = take_frames(ffmpeg, reference, Video(path=encode, stream_index=0), indices, frames, folder)
        images |= {(at, index): both for index, both in taken.items()}
        encode.unlink()
        done += frames
    made_from = (
        "A probe leaves no file behind, so the pictures are of one more encode with the same settings; "
        "the scores are the probe’s."
    )
    return _with_pairs(look, images, made_from)


def _of_file(look: Look, ffmpeg: Ffmpeg, source: PreparedSource, encode: Path, folder: Path) -> Look:
    settings = of_one_size(source.settings, (source.facts.width, source.facts.height))
    reference = Video(path=source.path, stream_index=source.facts.stream_index, chain=settings.video_filter)
    indices = [frame.index for frame in look.worst]
    made = Video(path=encode, stream_index=read_facts(encode, 0).stream_index)
    taken = take_frames(ffmpeg, reference, made, indices, look.spans[0].frames, folder)
    return _with_pairs(
        look, {(0, index): both for index, both in taken.items()}, "The pictures are of the finished encode."
    )


def _with_pairs(look: Look, images: Mapping[tuple[int, int], tuple[Image, Image]], made_from: str) -> Look:
    """The look with the pictures of its worst frames, by span and index."""
    keys = list(images)
    pairs = as_pairs({number: images[key] for number, key in enumerate(keys)}, PICTURES_BYTES)
    worst = [replace(frame, pair=pairs[keys.index((frame.span, frame.index))]) for frame in look.worst]
    return replace(look, worst=worst, made_from=made_from)

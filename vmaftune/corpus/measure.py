"""Measuring a corpus: sources x encoders x CRFs, in an order that makes every prefix of it useful."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vmaftune.corpus.check import check_more
from vmaftune.corpus.curves import Curve
from vmaftune.corpus.failures import Failure
from vmaftune.corpus.rendition import MEZZANINE_ENCODER, Rendition
from vmaftune.corpus.rows import RowWriter
from vmaftune.corpus.schedule import Observer, Probe, Schedule
from vmaftune.corpus.sources import Source, scaled_size
from vmaftune.errors import UserError
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.media.facts import MediaFacts, read_facts
from vmaftune.state.workspace import workspace


def measure_corpus(
    ffmpeg: Ffmpeg,
    sources: Sequence[Source],
    curves: Sequence[Curve],
    output: Path,
    *,
    max_frames: int | None,
    jobs: int,
    observer: Observer,
) -> None:
    """Measure what is not in ``output`` yet, and append it there row by row: all sources at the first curve, then the next.

    A source that cannot be read fails once; a probe that fails leaves the others of its source to be measured.

    Args:
        max_frames: only the first so many frames of each source; None takes all.
        jobs: ffmpeg processes at a time, each with one scoring thread.
        observer: told of every row and failure.

    Raises:
        UserError: rows cannot be added to ``output``, or no source is larger than the heights it is to have.
        VmafTuneError: a row could not be written.
    """
    if MEZZANINE_ENCODER not in ffmpeg.encoders and any(height for source in sources for height in source.heights):
        raise UserError(f"{ffmpeg.path} (ffmpeg {ffmpeg.version}) has no {MEZZANINE_ENCODER} to scale sources with")
    with RowWriter(output) as writer, workspace() as folder:
        check_more(writer.rows, {source.clip: source.source for source in sources}, ffmpeg.version, str(output))
        renditions, failures = _renditions(sources, max_frames)
        if not renditions and not failures:
            raise UserError("there is nothing to measure: no source is larger than the heights it is to have")
        there = {row.key for row in writer.rows}
        every = (
            Probe(rendition=rendition, curve=curve, crf=crf)
            for curve in curves
            for rendition in renditions
            for crf in curve.crfs
        )
        probes = list({probe.key: probe for probe in every if probe.key not in there}.values())
        observer.begun(len(probes), len(writer.rows), sum(probe.rendition.work for probe in probes))
        for failure in failures:
            observer.failed(failure, 0, 0.0)
        Schedule(ffmpeg, probes, writer, max_frames, folder, observer).run(jobs)


def _renditions(sources: Sequence[Source], max_frames: int | None) -> tuple[list[Rendition], list[Failure]]:
    """The sizes that each source is measured at, and the sources that cannot be read."""
    renditions: list[Rendition] = []
    failures: list[Failure] = []
    for source in sources:
        try:
            facts = read_facts(source.path)
        except UserError as error:
            failures.append(Failure(path=source.path, probe=None, reason=str(error)))
            continue
        frames = max(1.0, facts.duration_seconds * facts.fps)
        frames = min(frames, float(max_frames)) if max_frames else frames
        for size in dict.fromkeys(_size(facts, height) for height in source.heights):
            if size is not None:
                renditions.append(Rendition(source=source, facts=facts, size=size, frames=frames))
    return renditions, failures


def _size(facts: MediaFacts, height: int | None) -> tuple[int, int] | None:
    return (facts.width, facts.height) if height is None else scaled_size(facts.width, facts.height, height)

"""Measuring a corpus: sources x encoders x CRFs, in an order that makes every prefix of it useful."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import msgspec

from vmaftune.corpus.rows import CorpusRow, RowWriter, read_rows
from vmaftune.encoders.spec import EncoderSpec, settings_for
from vmaftune.errors import VmafTuneError
from vmaftune.features.measure import Measured, filtered, measure
from vmaftune.ffmpeg import vmaf
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.ffmpeg.probe import encode_and_score
from vmaftune.media.facts import MediaFacts, read_facts
from vmaftune.media.samples import Sample, SampleRule, cut
from vmaftune.state.workspace import workspace


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A source of a corpus: its file, its identifier and its kind of content."""

    path: Path
    source: str
    kind: str


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One encoder at one preset and the CRFs to measure."""

    spec: EncoderSpec
    preset: str | None
    crfs: tuple[float, ...]


class _Prepared(msgspec.Struct, frozen=True, kw_only=True):
    facts: MediaFacts
    sample: Sample
    measured: Measured
    frames: int


Report = Callable[[int, int, str], None]
"""Called with rows done, rows in all, and what was just done or why it failed."""


def measure_corpus(
    ffmpeg: Ffmpeg,
    sources: Sequence[Source],
    curves: Sequence[Curve],
    output: Path,
    *,
    max_frames: int | None,
    jobs: int,
    report: Report,
) -> int:
    """Measure what is not in ``output`` yet, and append it there.

    Args:
        max_frames: only the first so many frames of each source; None takes all.
        jobs: probes at a time, each with one scoring thread.

    Returns:
        How many probes failed.
    """
    done = {(r.source, r.encoder, r.preset, r.crf) for r in read_rows(output)} if output.is_file() else set()
    writer, lock = RowWriter(output), threading.Lock()
    trim = f"trim=end_frame={max_frames}" if max_frames else None
    todo = [
        (source, curve, crf)
        for curve in curves
        for source in sources
        for crf in curve.crfs
        if (source.source, curve.spec.name, curve.preset, crf) not in done
    ]
    finished = failed = 0
    with workspace() as folder, ThreadPoolExecutor(jobs) as pool:
        known: dict[str, _Prepared] = {}

        def one(number: int, source: Source, curve: Curve, crf: float) -> None:
            own = folder / str(number)
            own.mkdir()
            with lock:
                if source.source not in known:
                    known[source.source] = _prepare(ffmpeg, source, trim, own)
            row = _measure_one(ffmpeg, source, known[source.source], curve, crf, trim, own)
            with lock:
                writer.append(row)
            own.rmdir()

        futures = {pool.submit(one, number, *task): task for number, task in enumerate(todo)}
        try:
            for future in as_completed(futures):
                source, curve, crf = futures[future]
                finished += 1
                what = f"{source.source} {curve.spec.name} {crf:g}"
                try:
                    future.result()
                except VmafTuneError as error:
                    failed += 1
                    what += f": {error}"
                report(finished, len(todo), what)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    writer.close()
    return failed


def _prepare(ffmpeg: Ffmpeg, source: Source, trim: str | None, folder: Path) -> _Prepared:
    facts = read_facts(source.path)
    samples = cut(source.path, facts, SampleRule(duration_seconds=0.0), folder)
    measured = measure(ffmpeg, facts, samples, folder, source.path)
    frames = measured.frames[0] if trim is None else filtered(ffmpeg, samples[0], trim, folder)[0]
    return _Prepared(facts=facts, sample=samples[0], measured=measured, frames=frames)


def _measure_one(
    ffmpeg: Ffmpeg, source: Source, prepared: _Prepared, curve: Curve, crf: float, trim: str | None, folder: Path
) -> CorpusRow:
    facts = prepared.facts
    settings = settings_for(
        curve.spec,
        preset=curve.preset,
        pix_fmt=None,
        video_filter=trim,
        extra=(),
        source_pix_fmt=facts.pix_fmt,
        source_bit_depth=facts.bit_depth,
        source_size=(facts.width, facts.height),
    )
    comparison = vmaf.decide(vmaf.ScoreSettings(), facts.width, facts.height, 10 if "10" in settings.pix_fmt else 8)
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
    )
    scores = encoded.frame_scores
    return CorpusRow(
        source=source.source,
        kind=source.kind,
        encoder=curve.spec.name,
        preset=curve.preset,
        crf=crf,
        features=prepared.measured.features.values,
        feature_schema=prepared.measured.features.schema,
        vmaf_mean=round(vmaf.pooled(scores, "mean"), 5),
        vmaf_harmonic_mean=round(vmaf.pooled(scores, "harmonic_mean"), 5),
        vmaf_min=round(vmaf.pooled(scores, "min"), 5),
        vmaf_p5=round(vmaf.pooled(scores, "p5"), 5),
        bitrate_kbps=round(encoded.encoded_bytes * 8 / 1000 / (prepared.frames / facts.fps), 3),
        frames=prepared.frames,
        probe_seconds=round(encoded.encode_seconds + encoded.score_seconds, 3),
        width=facts.width,
        height=facts.height,
        ffmpeg=ffmpeg.version,
        vmaf_model=comparison.model,
    )

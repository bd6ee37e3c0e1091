"""Several encoders and presets on one source at equal score: size, time, BD-rate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.crf_search.source import CutSource, PreparedSource
from vmaftune.encoders.spec import check_preset
from vmaftune.encoding.arguments import encoded, of_one_size
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.ffmpeg import process
from vmaftune.ffmpeg.command import command
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.rates import RatePoint, bd_rate, bitrate_at, measured_points
from vmaftune.jobs.search import goal_of, run_search
from vmaftune.jobs.search_report import SearchReport, no_more_than, result_probe
from vmaftune.jobs.session import Session, names_origins
from vmaftune.quality.measure import Measure
from vmaftune.quality.scored import Scored, ScoredReport, scored_as
from vmaftune.state.workspace import workspace

BELOW_VMAF = (4.0, 8.0, 13.0)
"""How far below the target the further points of a BD-rate are searched, in VMAF or as much of another metric."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One way to encode. ``preset`` None is the encoder's own."""

    encoder: str
    preset: str | None

    def __str__(self) -> str:
        return f"{self.encoder} {self.preset}" if self.preset else self.encoder


class ComparedEncode(Scored, frozen=True, kw_only=True):
    """How one candidate did.

    Attributes:
        encoder, preset: of the candidate; the first one is what the others are measured against.
        target_met: False where nothing reaches the target; its numbers are then of the CRF that came closest.
        crf, score, vmaf, bitrate_kbps, encoded_percent: of the result, measured.
        bitrate_at_target_kbps: at exactly the target, between measured scores; None where they lie on one side of it.
        size_percent: that, in percent of the first candidate's.
        encode_fps: frames per second of the encode alone, without decoding the result or scoring it.
        time_percent: time of the encode alone, in percent of the first candidate's.
        bd_rate_percent: against the first candidate, over the scores that both were measured at; None where it was not asked
            for, or the curves have too few points in common.
        points: all verified scores, by rising bitrate.
        probe_count: verifying encodes made.
        source_score, source_vmaf: of the source against itself, measured where the target is not met; no encode can be expected
            to pass it.
        failure: why there is no result; the rest is None or 0 then.
    """

    encoder: str
    preset: str | None
    target_met: bool = False
    crf: float | None = None
    score: float | None = None
    vmaf: float | None = None
    bitrate_kbps: float | None = None
    encoded_percent: float | None = None
    bitrate_at_target_kbps: float | None = None
    size_percent: float | None = None
    encode_fps: float | None = None
    time_percent: float | None = None
    bd_rate_percent: float | None = None
    points: list[RatePoint] = msgspec.field(default_factory=list)
    probe_count: int = 0
    source_score: float | None = None
    source_vmaf: float | None = None
    failure: str | None = None

    @property
    def name(self) -> str:
        """Encoder and preset."""
        return str(Candidate(encoder=self.encoder, preset=self.preset))

    def missed(self, measure: Measure, target: float) -> str:
        """That it does not reach the target, as the beginning of a sentence."""
        text = f"{self.name} does not reach {measure.text(target, 'g')}"
        if self.source_score is None or measure.reaches(self.source_score, target):
            return text
        return f"{text}, and nothing can: {no_more_than(measure, self.source_score)}"


class CompareReport(ScoredReport, frozen=True, kw_only=True):
    """What ``compare --json`` prints; the field names are a promise. ``notes``: what predictor and corrections have to say."""

    source: str
    target: float
    tolerance: float
    frames: int
    encodes: list[ComparedEncode]
    ffmpeg: str
    pool: str
    total_seconds: float
    notes: list[str] = msgspec.field(default_factory=list)


def parse_candidates(texts: Sequence[str]) -> list[Candidate]:
    """``libx264:slow`` and ``libsvtav1`` as candidates.

    Raises:
        UserError: there are fewer than two, or one is there twice.
    """
    found = [Candidate(encoder=name, preset=preset or None) for name, _, preset in (t.partition(":") for t in texts)]
    if len(found) < 2:
        raise UserError("name at least two encoders or presets to compare, such as -e libx264:slow -e libsvtav1:8")
    for candidate in found:
        if found.count(candidate) > 1:
            raise UserError(f"{candidate} is there twice")
    return found


@names_origins
def run_compare(
    session: Session, path: Path, candidates: Sequence[Candidate], observer: JobObserver, *, curves: bool = True
) -> CompareReport:
    """Search each candidate for the same score, then at lower ones for BD-rates.

    A candidate that fails does not end the comparison.

    Args:
        curves: make the further searches that BD-rates need.

    Raises:
        UserError: an option or the source is wrong, or no candidate gives a result.
    """
    began = time.monotonic()
    goal = goal_of(session)
    metric = session.metric()
    measure = metric.measure(session.score_settings().model or "")
    lower = [measure.off(goal.target, -below * metric.grain) for below in BELOW_VMAF] if curves else []
    targets = [goal.target, *(target for target in lower if measure.lowest < target < measure.highest)]
    ffmpeg = session.ffmpeg()
    sessions = [_session_of(candidate, session, ffmpeg) for candidate in candidates]
    found: list[tuple[ComparedEncode, SearchReport | None]] = []
    with session.plugins() as plugins, workspace() as folder:
        source = sessions[0].cut(ffmpeg, path, folder)
        for candidate, one in zip(candidates, sessions, strict=True):
            reports: list[SearchReport] = []
            try:
                for target in targets:
                    observer.searching(f"{candidate}, {measure.text(target, 'g')}")
                    reports.append(run_search(one.with_target(target), path, observer, plugins, source))
                observer.searching(f"{candidate}, the time of the encode alone")
                found.append(
                    (_measured(reports, _encode_fps(one, ffmpeg, path, source, reports[0].crf, observer)), reports[0])
                )
            except VmafTuneError as error:
                failed = ComparedEncode(encoder=candidate.encoder, preset=candidate.preset, failure=str(error))
                found.append((failed, None))
    results = [report for _, report in found if report is not None]
    if not results:
        raise UserError(f"no encode could be compared: {found[0][0].failure}")
    first = results[0]
    return CompareReport(
        **scored_as(first),
        source=str(path),
        target=goal.target,
        tolerance=goal.tolerance,
        frames=sum(sample.frames for sample in first.samples),
        encodes=_against_first([encode for encode, _ in found], curves, measure.sign),
        ffmpeg=first.ffmpeg,
        pool=first.pool,
        total_seconds=round(time.monotonic() - began, 3),
        notes=list(dict.fromkeys(note for report in results for note in report.notes)),
    )


def _session_of(candidate: Candidate, session: Session, ffmpeg: Ffmpeg) -> Session:
    """The session with a candidate in place of its encoder; what is wrong with it is found before an hour of encodes."""
    one = session.replaced(encoder=candidate.encoder)
    spec = one.encoder(ffmpeg)
    one.grid(spec)
    preset = candidate.preset or spec.default_preset  # the configuration's may be another encoder's
    check_preset(spec, preset, f"-e {candidate.encoder}: preset")
    return one.replaced(preset=preset)


def _measured(reports: Sequence[SearchReport], fps: float) -> ComparedEncode:
    result, best = reports[0], result_probe(reports[0])
    sign = result.measure.sign
    points = measured_points((probe for report in reports for probe in report.probes), sign)
    return ComparedEncode(
        metric=result.metric,
        encoder=result.encoder,
        preset=result.preset,
        target_met=result.target_met,
        crf=result.crf,
        score=result.score,
        bitrate_kbps=best.bitrate_kbps,
        encoded_percent=best.encoded_percent,
        bitrate_at_target_kbps=bitrate_at(points, result.target, sign),
        encode_fps=round(fps, 3),
        points=points,
        probe_count=sum(report.probe_count for report in reports),
        source_score=result.source_score,
    )


def _encode_fps(
    session: Session, ffmpeg: Ffmpeg, path: Path, cut: CutSource, crf: float, observer: JobObserver
) -> float:
    """Frames per second of one more encode of the samples, with nothing beside it: probes score at the same time."""
    with workspace() as folder:
        source = session.prepared(ffmpeg, path, folder, cut, on_measure=observer.measuring)
        seconds = sum(_one_encode(ffmpeg, source, n, crf, observer) for n in range(len(source.samples)))
    return sum(source.frames) / seconds


def _one_encode(ffmpeg: Ffmpeg, source: PreparedSource, number: int, crf: float, observer: JobObserver) -> float:
    sample, frames = source.samples[number], source.frames[number]
    settings = of_one_size(source.settings, (source.facts.width, source.facts.height))
    output = encoded(sample.path, sample.stream_index, settings, crf, None, {})
    arguments = command(output, first=settings.spec.device_arguments)
    seconds, _ = process.run(
        ffmpeg.path, arguments, on_progress=lambda n: observer.encode_progress(min(1.0, n / frames))
    )
    return seconds


def _against_first(encodes: Sequence[ComparedEncode], curves: bool, sign: float) -> list[ComparedEncode]:
    anchor = next(encode for encode in encodes if encode.failure is None)
    return [encode if encode.failure is not None else _against(anchor, encode, curves, sign) for encode in encodes]


def _against(anchor: ComparedEncode, encode: ComparedEncode, curves: bool, sign: float) -> ComparedEncode:
    return msgspec.structs.replace(
        encode,
        size_percent=_percent(encode.bitrate_at_target_kbps, anchor.bitrate_at_target_kbps),
        time_percent=_percent(anchor.encode_fps, encode.encode_fps),
        bd_rate_percent=bd_rate(anchor.points, encode.points, sign) if curves and encode is not anchor else None,
    )


def _percent(value: float | None, of: float | None) -> float | None:
    return None if value is None or of is None else round(100.0 * value / of, 2)

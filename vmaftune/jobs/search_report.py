"""The result of a search: as JSON, and as the ffmpeg command of the full encode."""

from __future__ import annotations

import shlex

import msgspec

from vmaftune.contract.records import ProbeRecord
from vmaftune.crf_search.engine import CurveReport, Outcome
from vmaftune.crf_search.source import PreparedSource
from vmaftune.crf_search.strategy import REASONS, Goal
from vmaftune.encoders.spec import number
from vmaftune.encoding.arguments import full_arguments
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.containers import CONTAINERS
from vmaftune.jobs.encode_streams import default_output, every_stream, plan_streams
from vmaftune.quality.measure import Measure
from vmaftune.quality.scored import Scored, ScoredReport, scored_by


class PluginReport(Scored, frozen=True, kw_only=True):
    """What a correction or trainer had to do with the result.

    Attributes:
        name, kind, version: of the plugin.
        took_part: False where a filter goes before the encode; ``notes`` of the search say so.
        correction_score, correction_vmaf: shift at the resulting CRF; None for a trainer.
        captures: scores it had learned from when the search began.
    """

    name: str
    kind: str
    version: str
    correction_score: float | None
    correction_vmaf: float | None = None
    captures: int | None
    took_part: bool = True


class StopReport(msgspec.Struct, frozen=True, kw_only=True):
    """Why the search ended, as a word, in words, and with its probability where it rests on one."""

    reason: str
    text: str
    probability: float | None


class SampleReport(msgspec.Struct, frozen=True, kw_only=True):
    """A span that was encoded and scored."""

    start_seconds: float
    frames: int


class SearchReport(ScoredReport, frozen=True, kw_only=True):
    """What ``--json`` prints; the field names are a promise.

    ``notes`` are what the predictor and the corrections have to say. ``probe_count`` and ``explore_count`` are of the verifying
    and the exploring encodes that were run; ``probes`` holds cached ones too. ``source_score`` is that of the source against
    itself, measured where the target is not met: no encode can be expected to pass it. Each score has a twin under VMAF's name
    (Scored).
    """

    crf: float
    score: float
    vmaf: float | None = None
    target: float
    tolerance: float
    target_met: bool
    encoder: str
    preset: str | None
    pix_fmt: str
    predictor: str
    plugins: list[PluginReport]
    notes: list[str]
    predicted_score: float
    predicted_vmaf: float | None = None
    predicted_crf: float
    probes: list[ProbeRecord]
    probe_count: int
    explore_count: int
    feature_seconds: float
    total_seconds: float
    stop: StopReport
    samples: list[SampleReport]
    ffmpeg: str
    pool: str
    encode_command: str
    curve: CurveReport
    source_score: float | None = None
    source_vmaf: float | None = None


def search_report(
    outcome: Outcome,
    source: PreparedSource,
    ffmpeg: Ffmpeg,
    goal: Goal,
    plugins: list[tuple[str, str, str]],
    *,
    total_seconds: float,
    source_score: float | None = None,
) -> SearchReport:
    """Everything there is to say of a search that ended.

    Args:
        plugins: name, kind and version of the corrections and trainers that took part.
    """
    best, settings = outcome.best, source.settings
    place = outcome.report.crfs.index(best.crf)
    reports = []
    for name, kind, version in plugins:
        adjustment = outcome.curve.adjustments.get(name)
        reports.append(
            PluginReport(
                name=name,
                kind=kind,
                version=version,
                metric=source.scale.metric,
                correction_score=None if adjustment is None else round(float(adjustment.shift[place]), 4),
                captures=None if adjustment is None else adjustment.captures,
                took_part=outcome.curve.left_out is None,
            )
        )
    return SearchReport(
        **scored_by(source.comparison, source.scale),
        crf=best.crf,
        score=best.score,
        target=goal.target,
        tolerance=goal.tolerance,
        target_met=outcome.stop.met,
        encoder=settings.spec.name,
        preset=settings.preset,
        pix_fmt=settings.pix_fmt,
        predictor=outcome.curve.predictor,
        plugins=reports,
        notes=outcome.curve.notes,
        predicted_score=round(outcome.predicted_score, 4),
        predicted_crf=outcome.predicted_crf,
        probes=outcome.probes,
        probe_count=_made(outcome.probes, "verify"),
        explore_count=_made(outcome.probes, "explore"),
        feature_seconds=round(source.measured.feature_seconds, 3),
        total_seconds=round(total_seconds, 3),
        stop=StopReport(
            reason=outcome.stop.reason, text=REASONS[outcome.stop.reason], probability=outcome.stop.probability
        ),
        samples=sample_reports(source),
        ffmpeg=ffmpeg.version,
        pool=source.scale.pool,
        encode_command=encode_command(ffmpeg, source, best.crf),
        curve=outcome.report,
        source_score=source_score,
    )


def sample_reports(source: PreparedSource) -> list[SampleReport]:
    """The spans of a source that are encoded and scored."""
    spans = zip(source.samples, source.frames, strict=True)
    return [SampleReport(start_seconds=round(sample.start_seconds, 3), frames=frames) for sample, frames in spans]


def _made(probes: list[ProbeRecord], purpose: str) -> int:
    return sum(probe.purpose == purpose and not probe.cached for probe in probes)


def result_probe(report: SearchReport) -> ProbeRecord:
    """The verifying probe that is the result."""
    return next(probe for probe in report.probes if probe.crf == report.crf and probe.purpose == "verify")


def encodes_made(report: SearchReport) -> str:
    """How many encodes were run: ``3 trial encodes``, ``2 verified and 1 exploring encode``."""
    verified, explored = report.probe_count, report.explore_count
    if explored:
        return f"{verified} verified and {explored} exploring encode{'' if explored == 1 else 's'}"
    return f"{verified} trial encode{'' if verified == 1 else 's'}"


def not_met(report: SearchReport) -> str:
    """Why the target is not met and what came closest, in one line."""
    measure = report.measure
    target = measure.text(report.target, "g")
    closest = f"CRF {number(report.crf)} came closest with a verified {measure.title} of {measure.amount(report.score)}"
    if report.source_score is not None and not measure.reaches(report.source_score, report.target):
        return f"{target} cannot be met: {no_more_than(measure, report.source_score)}; {closest}; {measure.easier}"
    if report.stop.reason == "too-large":
        return (
            f"no encode reaches {target} within --max-encoded-percent: {closest} and is already "
            f"{result_probe(report).encoded_percent:.1f} % of the source"
        )
    if report.stop.reason == "probe-limit":
        return f"{target} was not reached in {encodes_made(report)}: {closest}; allow more with --max-probes"
    return f"{target} cannot be met: {closest} ({report.stop.text}); {measure.easier_or_finer}"


def no_more_than(measure: Measure, source_score: float) -> str:
    """Why not even a lossless encode reaches a target."""
    text = f"the source scored against itself, as a lossless encode would be, gets {measure.amount(source_score)}"
    return f"{text}: {measure.itself}" if measure.itself else text


def encode_command(ffmpeg: Ffmpeg, source: PreparedSource, crf: float, which: str | None = None) -> str:
    """The command line of the full encode, as ``vmaf-tune encode`` runs it but for the temporary name of the output.

    Args:
        which: stands in the name of the output where a source has several.
    """
    facts, settings = source.facts, source.settings
    output = default_output(source.path, settings.spec.name, which)
    kept = every_stream(facts.stream_index)
    if source.path.exists():  # a source that was shipped to this host is somewhere else
        kept = plan_streams(ffmpeg, source.path, facts.stream_index, settings.spec.name, output, None).arguments
    size = (facts.width, facts.height)
    container = CONTAINERS[output.suffix]
    return shlex.join([str(ffmpeg.path), *full_arguments(source.path, size, settings, crf, kept, container, output)])

"""The page of a search, and the sections that pages of encodes have in common with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vmaftune import __version__
from vmaftune.contract.records import ProbeRecord
from vmaftune.encoders.spec import number
from vmaftune.jobs.search_report import SearchReport, no_more_than, result_probe
from vmaftune.quality.scale import USUAL
from vmaftune.quality.scored import ScoredReport
from vmaftune.report import curve
from vmaftune.report.bars import Bar, bars
from vmaftune.report.frames import frames_section
from vmaftune.report.look import Look
from vmaftune.report.page import Page, Section, Tile
from vmaftune.report.svg import Chart
from vmaftune.report.table import Cell, Table
from vmaftune.report.words import command, counted, lasting, name, rate, size


def search_page(report: SearchReport, source: Path, look: Look) -> Page:
    """The page of one search."""
    best, measure = result_probe(report), report.measure
    title = f"CRF {number(report.crf)} gives {report.measure.text(report.score)}"
    if not report.target_met:
        title = f"{measure.text(report.target, 'g')} was not reached"
    return Page(
        title=title,
        subject=name(source),
        job="crf-search",
        good=report.target_met,
        lead=lead(report),
        tiles=[
            Tile(label="CRF", value=number(report.crf), note=encoder_text(report)),
            Tile(
                label=measure.title,
                value=measure.amount(report.score),
                note=f"verified on {counted(best.frames, 'frame')}",
            ),
            Tile(
                label="Size",
                value=f"{best.encoded_percent:.1f} %",
                note=f"of the source’s video; {rate(best.bitrate_kbps)}",
            ),
            Tile(label="Time", value=lasting(report.total_seconds), note=encodes_text(report)),
        ],
        sections=[section for section in sections(report, look) if section is not None]
        + [settings_section(report, look), command_section(report.encode_command)],
    )


def lead(report: SearchReport) -> list[str]:
    """What was found, in sentences."""
    best, measure = result_probe(report), report.measure
    zone = measure.zone_text(report.target, report.tolerance).removeprefix(f"{measure.title} ")
    scored = f"a measured {measure.title} of {measure.amount(report.score)}"
    sure = "" if report.stop.probability is None else f" ({100 * report.stop.probability:.0f} %)"
    size_text = f"{best.encoded_percent:.1f} % of the source’s video at {rate(best.bitrate_kbps)}"
    if report.target_met:
        found = (
            f"Encoded with {encoder_text(report)} at CRF {number(report.crf)}, it has {scored}, "
            f"where {zone} was asked for, and takes {size_text}."
        )
    else:
        found = (
            f"With {encoder_text(report)}, CRF {number(report.crf)} came closest: {scored} "
            f"where {zone} was asked for, at {size_text}."
        )
    took = f"That took {encodes_text(report)} and {lasting(report.total_seconds)}; it ended because {report.stop.text}{sure}."
    lines = [found, took]
    if report.source_score is not None and not measure.reaches(report.source_score, report.target):
        why = no_more_than(measure, report.source_score)
        lines.append(f"No encode can be expected to reach {measure.amount(report.target, 'g')}: {why}.")
    if best.encoded_percent > 100.0:
        lines.append("The encode is larger than the source’s video: a copy would be smaller, and lossless.")
    return lines


def sections(report: SearchReport, look: Look) -> list[Section | None]:
    """What a search found and how: curve, frames, probes, times, what was learned."""
    return [
        curve_section(report),
        frames_section(look, report.measure, report.target, "Frame by frame"),
        probes_section(report),
        sizes_section(report, look),
        learned_section(report),
    ]


def encoder_text(report: SearchReport) -> str:
    """``libx265, preset slow``."""
    return report.encoder if report.preset is None else f"{report.encoder}, preset {report.preset}"


def encodes_text(report: SearchReport) -> str:
    """``2 verifying encodes and 1 exploring``."""
    verified, explored = report.probe_count, report.explore_count
    if not verified and not explored:
        return "no new encode"
    text = counted(verified, "verifying encode" if explored else "trial encode")
    return f"{text} and {explored} exploring" if explored else text


@dataclass(frozen=True, kw_only=True)
class _Curve:
    chart: Chart
    title: str
    cached: bool
    explored: bool


def curve_section(report: SearchReport) -> Section:
    """The curve with everything that was believed and measured of it."""
    kinds = {(probe.purpose, probe.cached) for probe in report.probes}
    shown = _Curve(
        chart=curve.chart(report),
        title=report.measure.title,
        cached=any(cached for _, cached in kinds),
        explored=any(purpose == "explore" for purpose, _ in kinds),
    )
    return Section(title="The curve", template="curve", content=shown)


def probes_section(report: SearchReport) -> Section:
    """Every probe, in the order in which it became known."""
    best = result_probe(report)
    rows = [
        (
            Cell(text=str(place)),
            Cell(text=number(probe.crf)),
            Cell(
                text=f"{probe.score:.2f}",
                small=f"± {probe.deviation:.2f}" if probe.deviation else "",
                style="reaches" if report.measure.reaches(probe.score, report.target) else "misses",
            ),
            Cell(text=f"{probe.encoded_percent:.1f} %"),
            Cell(text=rate(probe.bitrate_kbps)),
            Cell(text=lasting(_seconds(probe))),
            Cell(text=f"{probe.frames:,}"),
            Cell(text=f"{curve.how(probe)}, the result" if probe is best else curve.how(probe)),
        )
        for place, probe in enumerate(report.probes, 1)
    ]
    columns = ("#", "CRF", report.measure.label, "Size", "Bit rate", "Time", "Frames", "<How")
    best_row = next(place for place, probe in enumerate(report.probes) if probe is best)
    return Section(title="Probes", template="table", content=Table(columns=columns, rows=rows, best=best_row))


def sizes_section(report: SearchReport, look: Look) -> Section:
    """What it takes on the disk, and what finding it took."""
    best = result_probe(report)
    source_kbps = 100.0 * best.bitrate_kbps / best.encoded_percent if best.encoded_percent else 0.0
    sizes = [
        ("the source’s video", source_kbps, _size_text(source_kbps, look)),
        ("this encode", best.bitrate_kbps, _size_text(best.bitrate_kbps, look)),
    ]
    made = [(place, probe) for place, probe in enumerate(report.probes, 1) if not probe.cached]
    times = [("features of the source", report.feature_seconds)] if report.feature_seconds else []
    times += [(f"probe {place}, CRF {number(probe.crf)}", _seconds(probe)) for place, probe in made]
    rest = report.total_seconds - sum(seconds for _, seconds in times)
    times.append(("all else", max(0.0, rest)))
    return Section(
        title="Size and time",
        template="bars",
        content=[
            ("Size", bars([Bar(label=label, value=value, text=text) for label, value, text in sizes])),
            ("Time of the search", bars([Bar(label=label, value=s, text=lasting(s)) for label, s in times])),
        ],
    )


def _size_text(kbps: float, look: Look) -> str:
    """The rate, and what the whole comes to at that rate where its length is known."""
    if look.facts is None or not look.facts.duration_seconds:
        return rate(kbps)
    return f"{rate(kbps)}, about {size(kbps * 125.0 * look.facts.duration_seconds)} for the whole"


def _seconds(probe: ProbeRecord) -> float:
    return probe.encode_seconds + probe.score_seconds


def learned_section(report: SearchReport) -> Section:
    """What was expected, what came of it, and what plugins had to do with that."""
    off, measure = report.score - report.predicted_score, report.measure
    predictor = report.predictor.split("@")[0]
    if predictor == "none":
        lines = ["No predictor knew this encoder or source; the search began from what any curve may look like."]
    else:
        lines = [
            f"Before the first probe, {predictor} expected {measure.text(report.predicted_score, '.1f')} at"
            f" CRF {number(report.crf)}; measured was {measure.amount(report.score, '.1f')},"
            f" {abs(off):.1f} {'higher' if off >= 0 else 'lower'}. Its first guess was CRF {number(report.predicted_crf)}."
        ]
    for plugin in report.plugins:
        if not plugin.took_part:
            continue  # the notes say why
        if plugin.kind == "correction" and plugin.captures:
            scores = counted(plugin.captures, "earlier score")
            shift = measure.difference(plugin.correction_score or 0.0)
            lines.append(f"{plugin.name} had learned from {scores} and shifted the curve by {shift} here.")
        elif plugin.captures == 0:
            since = "; it has learned from it" if report.probe_count else ""
            lines.append(f"{plugin.name} had learned nothing of {report.encoder} before this search{since}.")
        else:
            lines.append(f"{plugin.name} took part as a {plugin.kind}.")
    if not report.plugins:
        lines.append(
            "No plugin that learns took part; --plugin ridge-sidecar lets the next search start from this one."
        )
    return Section(title="What was expected and learned", template="lines", content=[*lines, *report.notes])


def scored_by_row(report: ScoredReport) -> tuple[str, str]:
    """By what and at which size pictures were compared."""
    return ("VMAF model" if report.metric == USUAL.metric else "metric", report.compared("×"))


def settings_section(report: SearchReport, look: Look, more: Sequence[tuple[str, str]] = ()) -> Section:
    """All that is needed to do it again."""
    facts = look.facts
    rows = [
        ("encoder", encoder_text(report)),
        ("pixel format", report.pix_fmt),
        ("target", f"{report.measure.text(report.target, 'g')}, tolerance {report.tolerance:g}"),
        scored_by_row(report),
        ("pooling", report.pool),
        (
            "scored",
            f"{counted(sum(s.frames for s in report.samples), 'frame')} in {counted(len(report.samples), 'sample')}",
        ),
        ("predictor", report.predictor),
        *((plugin.kind, f"{plugin.name} {plugin.version}") for plugin in report.plugins),
        ("ffmpeg", report.ffmpeg),
        ("vmaf-tune", __version__),
        *more,
    ]
    if facts is not None:
        source = f"{facts.width}×{facts.height}, {facts.fps:.5g} fps, {facts.codec}, {facts.pix_fmt}"
        rows.insert(0, ("source", f"{source}, {lasting(facts.duration_seconds)}, {size(facts.file_bytes)}"))
    return Section(title="Settings and versions", template="settings", content=rows)


def command_section(text: str, title: str = "Encode with") -> Section:
    """A command to be copied."""
    return Section(title=title, template="command", content=command(text))

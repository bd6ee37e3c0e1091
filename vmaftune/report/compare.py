"""The page of a comparison: encoders and presets at equal VMAF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vmaftune import __version__
from vmaftune.encoders.spec import number
from vmaftune.jobs.compare import ComparedEncode, CompareReport
from vmaftune.report.bars import Bar, bars
from vmaftune.report.page import Page, Section, Tile
from vmaftune.report.rates import RateCurve, rates_section
from vmaftune.report.search import scored_by_row
from vmaftune.report.table import Cell, Table, amount
from vmaftune.report.words import counted, lasting, name, rate


def compare_page(report: CompareReport) -> Page:
    """The page of one comparison."""
    made = [encode for encode in report.encodes if encode.failure is None]
    reached = [encode for encode in made if encode.target_met and encode.bitrate_at_target_kbps is not None]
    smallest = min(reached, key=_at_target, default=None)
    fastest = max((e for e in reached if e.encode_fps), key=lambda e: e.encode_fps or 0.0, default=None)
    good = len(reached) == len(report.encodes)
    measure, target = report.measure, report.measure.text(report.target, "g")
    title = f"No encoder reaches {target}"
    if smallest is not None:
        title = f"{smallest.name} is the smallest at {target}"
    tiles = [Tile(label="Compared", value=str(len(report.encodes)), note=f"at {target}")]
    if smallest is not None:
        tiles.append(Tile(label="Smallest", value=rate(_at_target(smallest)), note=smallest.name))
    if fastest is not None:
        tiles.append(Tile(label="Fastest", value=f"{fastest.encode_fps:.3g} fps", note=fastest.name))
    probes = counted(sum(encode.probe_count for encode in made), "verifying encode")
    tiles.append(Tile(label="Time", value=lasting(report.total_seconds), note=probes))
    curves = [
        RateCurve(
            label=encode.name,
            bitrates_kbps=[p.bitrate_kbps for p in encode.points],
            scores=[p.score for p in encode.points],
            crfs=[p.crf for p in encode.points],
        )
        for encode in made
        if encode.points
    ]
    sections = [_table(report), _bars(reached, target)]
    if curves:
        caption = "Every verified encode. Further up and further left is better: more quality for fewer bits."
        sections.insert(1, rates_section(curves, measure, "Quality over bit rate", caption, target=report.target))
    return Page(
        title=title,
        subject=name(report.source),
        job="compare",
        good=good,
        lead=_lead(report, made, smallest),
        tiles=tiles,
        sections=[*sections, _settings(report)],
    )


def _lead(report: CompareReport, made: Sequence[ComparedEncode], smallest: ComparedEncode | None) -> list[str]:
    anchor, lines = made[0], []
    for encode in made[1:]:
        if encode.size_percent is None:
            continue
        off = encode.size_percent - 100.0
        change = f"{abs(off):.0f} % {'larger' if off > 0 else 'smaller'}"
        line = f"At equal {report.measure.title}, {encode.name} is {change} than {anchor.name}"
        if encode.time_percent is not None:
            line += f" and takes {encode.time_percent / 100.0:.2g} times as long to encode"
        lines.append(f"{line}.")
    for encode in report.encodes:
        if encode.failure is not None:
            lines.append(f"{encode.name} failed: {encode.failure}")
        elif not encode.target_met:
            lines.append(f"{encode.missed(report.measure, report.target)}; its row is of what came closest.")
    return [*lines, *report.notes]


def _table(report: CompareReport) -> Section:
    columns = ("<<Encoder", "CRF", report.measure.label, "Bit rate", "At target", "Size", "Speed", "Time", "BD-rate")
    rows = []
    for encode in report.encodes:
        style = "reaches" if encode.target_met else "misses"
        small = "failed" if encode.failure is not None else ""
        rows.append(
            (
                Cell(text=encode.name, small=small),
                Cell(text="–" if encode.crf is None else number(encode.crf), key=encode.crf),
                amount(encode.score, "{:.2f}", style),
                amount(encode.bitrate_kbps, "{:,.0f} kb/s"),
                amount(encode.bitrate_at_target_kbps, "{:,.0f} kb/s"),
                amount(encode.size_percent, "{:.0f} %"),
                amount(encode.encode_fps, "{:.3g} fps"),
                amount(encode.time_percent, "{:.0f} %"),
                amount(encode.bd_rate_percent, "{:+.1f} %"),
            )
        )
    note = (
        "Size, time and BD-rate are against the first one. At target: the bit rate at exactly the target, between measured "
        "encodes. BD-rate: mean difference in bit rate at equal score over the range that both were measured in; below 0 is "
        "smaller. Speed and time are of the encode alone."
    )
    return Section(
        title="At equal quality", template="table", content=Table(columns=columns, rows=rows, sortable=True, note=note)
    )


def _bars(encodes: Sequence[ComparedEncode], target: str) -> Section:
    sizes = [Bar(label=e.name, value=_at_target(e), text=rate(_at_target(e))) for e in encodes]
    speeds = [
        Bar(label=e.name, value=e.encode_fps, text=f"{e.encode_fps:.3g} fps")
        for e in encodes
        if e.encode_fps is not None
    ]
    parts = [(f"Bit rate at {target}", bars(sizes)), ("Frames encoded per second", bars(speeds))]
    return Section(title="Size and speed", template="bars", content=[part for part in parts if part[1]])


def _settings(report: CompareReport) -> Section:
    rows = [
        ("source", name(Path(report.source))),
        ("target", f"{report.measure.text(report.target, 'g')}, tolerance {report.tolerance:g}"),
        ("scored", counted(report.frames, "frame")),
        scored_by_row(report),
        ("pooling", report.pool),
        ("ffmpeg", report.ffmpeg),
        ("vmaf-tune", __version__),
    ]
    return Section(title="Settings and versions", template="settings", content=rows)


def _at_target(encode: ComparedEncode) -> float:
    return encode.bitrate_at_target_kbps or 0.0

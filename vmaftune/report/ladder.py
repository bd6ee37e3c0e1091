"""The page of a ladder: its rungs, and the curves of all sizes that they were chosen from."""

from __future__ import annotations

from pathlib import Path

from vmaftune import __version__
from vmaftune.encoders.spec import number
from vmaftune.jobs.ladder import LadderReport, Rung
from vmaftune.jobs.rates import hull
from vmaftune.report.page import Page, Section, Tile
from vmaftune.report.rates import Chosen, RateCurve, rates_section
from vmaftune.report.search import scored_by_row
from vmaftune.report.table import Cell, Table, amount
from vmaftune.report.words import command, counted, lasting, name, rate


def ladder_page(report: LadderReport) -> Page:
    """The page of one ladder."""
    top, bottom = report.rungs[0], report.rungs[-1]
    encoder = report.encoder if report.preset is None else f"{report.encoder}, preset {report.preset}"
    many, measure = len(report.rungs) > 1, report.measure
    return Page(
        title=f"{counted(len(report.rungs), 'rung')}, {_size(top)} to {_size(bottom)}"
        if many
        else f"One rung, {_size(top)}",
        subject=name(report.source),
        job="ladder",
        good=True,
        lead=[
            f"Encoded with {encoder}: from {rate(top.bitrate_kbps)} with a measured {measure.title} of"
            f" {measure.amount(top.score)} down to {rate(bottom.bitrate_kbps)} with {measure.amount(bottom.score)}. Each rung"
            " has the size that needs the fewest bits for its quality, every one compared with the source at its own size."
        ],
        tiles=[
            Tile(label="Rungs", value=str(len(report.rungs)), note=encoder),
            Tile(
                label="Best",
                value=measure.amount(top.score),
                note=f"{measure.title}, {_size(top)}, {rate(top.bitrate_kbps)}",
            ),
            Tile(
                label="Lowest",
                value=measure.amount(bottom.score),
                note=f"{measure.title}, {_size(bottom)}, {rate(bottom.bitrate_kbps)}",
            ),
            Tile(label="Time", value=lasting(report.total_seconds), note=counted(report.probe_count, "encode")),
        ],
        sections=[_rungs(report), _chart(report), _commands(report), _settings(report, encoder)],
    )


def _rungs(report: LadderReport) -> Section:
    rows = [
        (
            Cell(text=str(place)),
            Cell(text=_size(rung)),
            amount(rung.bitrate_kbps, "{:,.0f} kb/s"),
            amount(rung.score, "{:.2f}"),
            Cell(text=number(rung.crf), key=rung.crf),
            Cell(text="yes" if rung.on_hull else "no"),
        )
        for place, rung in enumerate(report.rungs, 1)
    ]
    note = "On the hull: nothing measured is better for its bit rate, nor is any mix of two other encodes."
    columns = ("#", "<Size", "Bit rate", report.measure.label, "CRF", "On the hull")
    return Section(title="Rungs", template="table", content=Table(columns=columns, rows=rows, note=note))


def _chart(report: LadderReport) -> Section:
    measure = report.measure
    curves = [
        RateCurve(
            label=f"{curve.width}×{curve.height}",
            bitrates_kbps=[p.bitrate_kbps for p in curve.points],
            scores=[p.score for p in curve.points],
            crfs=[p.crf for p in curve.points],
        )
        for curve in report.curves
        if curve.points
    ]
    points = [(p.bitrate_kbps, p.score) for curve in report.curves for p in curve.points]
    edge = [points[n] for n in hull([x for x, _ in points], [y for _, y in points], report.measure.sign)]
    chosen = [
        Chosen(
            bitrate_kbps=rung.bitrate_kbps,
            score=rung.score,
            title=f"rung {place}: {_size(rung)}, CRF {number(rung.crf)}, {rate(rung.bitrate_kbps)}, {measure.text(rung.score)}",
        )
        for place, rung in enumerate(report.rungs, 1)
    ]
    caption = "Every verified encode, a line for each size; the wide line is the convex hull of them all."
    return rates_section(curves, report.measure, "Quality over bit rate", caption, hull=edge, chosen=chosen)


def _commands(report: LadderReport) -> Section:
    titled = [
        (f"{n}: {_size(rung)}, {rate(rung.bitrate_kbps)}", command(rung.command))
        for n, rung in enumerate(report.rungs, 1)
    ]
    return Section(title="Encode with", template="commands", content=titled)


def _settings(report: LadderReport, encoder: str) -> Section:
    rows = [
        ("source", name(Path(report.source))),
        ("encoder", encoder),
        scored_by_row(report),
        ("pooling", report.pool),
        ("ffmpeg", report.ffmpeg),
        ("vmaf-tune", __version__),
    ]
    return Section(title="Settings and versions", template="settings", content=rows)


def _size(rung: Rung) -> str:
    return f"{rung.width}×{rung.height}"

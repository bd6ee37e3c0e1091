"""The page of a full encode."""

from __future__ import annotations

from pathlib import Path

from vmaftune import __version__
from vmaftune.encoders.spec import number
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.report import search
from vmaftune.report.bars import Bar, bars
from vmaftune.report.frames import frames_section
from vmaftune.report.look import Look
from vmaftune.report.page import Page, Section, Tile
from vmaftune.report.table import Cell, Table, amount
from vmaftune.report.words import counted, lasting, name, rate, size

_MOST_SHOTS = 2_000


def encode_page(report: EncodeReport, look: Look, missed: str | None = None) -> Page:
    """The page of one encode.

    Args:
        missed: where its quality falls short of what was asked for, in a sentence.
    """
    found = report.search
    target = None if found is None else found.target
    return Page(
        title=_title(report),
        subject=name(report.output),
        job="encode",
        good=missed is None,
        lead=[*_lead(report), *([missed] if missed else [])],
        tiles=_tiles(report),
        sections=[
            part
            for part in (
                _sizes(report),
                frames_section(look, report.measure, target, _frames_title(report)),
                *([search.curve_section(found), search.probes_section(found)] if found is not None else []),
                _shots(report),
                _times(report),
                _streams(report),
                *([search.learned_section(found)] if found is not None else []),
                _settings(report, look),
                search.command_section(report.command, "Made by"),
            )
            if part is not None
        ],
    )


def _shots(report: EncodeReport) -> Section | None:
    """Each shot with the CRF it was given."""
    made = report.per_shot
    if made is None:
        return None
    rows = [
        (
            Cell(text=str(place)),
            amount(shot.start_seconds, "{:,.2f} s"),
            amount(float(shot.frames), "{:,.0f}"),
            Cell(text=number(shot.crf), key=shot.crf),
            amount(shot.score, "{:.2f}"),
            Cell(text=size(shot.bytes), key=float(shot.bytes)),
        )
        for place, shot in enumerate(made.shots[:_MOST_SHOTS], 1)
    ]
    note = (
        f"{report.measure.title} of each is the measured mean over its frames; no shot was to be below {made.floor:g}."
    )
    if len(made.shots) > len(rows):
        note += f" The first {len(rows)} of {len(made.shots)} shots."
    if made.one_crf is not None:
        whole, saved = size(made.one_crf.bytes), made.one_crf.saved_percent
        note += f" One CRF for the whole takes {whole} at the same measured score: the shots save {saved:.1f} %."
    columns = ("#", "Begins", "Frames", "CRF", report.measure.label, "Size")
    return Section(title="Shots", template="table", content=Table(columns=columns, rows=rows, sortable=True, note=note))


def _title(report: EncodeReport) -> str:
    share = f"{100.0 * report.output_bytes / max(1, report.source_bytes):.0f} % of the size"
    score = _score(report)
    return f"{share}, {report.measure.text(score)}" if score is not None else f"{share}, at CRF {number(report.crf)}"


def _score(report: EncodeReport) -> float | None:
    if report.final_score is not None:
        return report.final_score
    return None if report.search is None else report.search.score


def _lead(report: EncodeReport) -> list[str]:
    change = f"{size(report.source_bytes)} became {size(report.output_bytes)}"
    lines = [
        f"{name(report.source)} was encoded with {_encoder(report)} at CRF {number(report.crf)}: {change}, all streams counted."
    ]
    if report.final_score is not None:
        scored = report.measure.text(report.final_score)
        line = f"All {counted(report.frames, 'frame')} of the encode were scored: {scored}"
        if report.search is not None:
            line += f", where its samples have {report.search.score:.2f} and {report.search.target:g} was asked for"
        lines.append(f"{line}.")
    elif report.search is not None:
        asked = f"{report.search.target:g} was asked for"
        lines.append(
            f"{report.measure.title} is of the samples that were searched, where {asked}; --final-score measures the whole."
        )
    if report.checked:
        lines.append("Every frame was decoded, and is shown when the source’s is.")
    if report.encoded_percent > 100.0:
        lines.append("The encode is larger than the source’s video: a copy would be smaller, and lossless.")
    return lines if report.search is not None else [*lines, *report.notes]


def _tiles(report: EncodeReport) -> list[Tile]:
    score, kbps = _score(report), report.video_bytes * 8 / 1000 / max(report.duration_seconds, 1e-3)
    tiles = [Tile(label="Size", value=size(report.output_bytes), note=f"of {size(report.source_bytes)}")]
    if score is not None:
        what = "of the whole" if report.final_score is not None else "of the samples"
        tiles.append(Tile(label=report.measure.title, value=report.measure.amount(score), note=f"verified, {what}"))
    tiles.append(Tile(label="CRF", value=number(report.crf), note=f"{_encoder(report)}; {rate(kbps)}"))
    tiles.append(
        Tile(label="Time", value=lasting(report.total_seconds), note=f"encode alone {lasting(report.encode_seconds)}")
    )
    return tiles


def _sizes(report: EncodeReport) -> Section:
    source_video = round(100.0 * report.video_bytes / report.encoded_percent) if report.encoded_percent else 0
    files = [
        Bar(label="source", value=report.source_bytes, text=size(report.source_bytes)),
        Bar(label="encode", value=report.output_bytes, text=size(report.output_bytes)),
    ]
    video = [
        Bar(label="source", value=source_video, text=size(source_video)),
        Bar(
            label="encode", value=report.video_bytes, text=f"{size(report.video_bytes)}, {report.encoded_percent:.1f} %"
        ),
    ]
    return Section(
        title="Size", template="bars", content=[("The files", bars(files)), ("Their video alone", bars(video))]
    )


def _frames_title(report: EncodeReport) -> str:
    return "Frame by frame" if report.final_score is not None else "Frame by frame, as the search verified them"


def _times(report: EncodeReport) -> Section:
    searched = 0.0 if report.search is None else report.search.total_seconds
    rest = max(0.0, report.total_seconds - searched - report.encode_seconds)
    parts = [("search", searched)] if searched else []
    parts += [("encode", report.encode_seconds), ("checks and all else", rest)]
    rows = bars([Bar(label=label, value=seconds, text=lasting(seconds)) for label, seconds in parts])
    return Section(title="Time", template="bars", content=[("Where it went", rows)])


def _streams(report: EncodeReport) -> Section | None:
    return Section(title="Streams kept", template="lines", content=report.streams) if report.streams else None


def _settings(report: EncodeReport, look: Look) -> Section:
    output = (
        "output",
        f"{name(Path(report.output))}, {counted(report.frames, 'frame')}, {lasting(report.duration_seconds)}",
    )
    if report.search is not None:
        return search.settings_section(report.search, look, [output])
    rows = [output, ("encoder", _encoder(report)), ("pixel format", report.pix_fmt), ("vmaf-tune", __version__)]
    return Section(title="Settings and versions", template="settings", content=rows)


def _encoder(report: EncodeReport) -> str:
    return report.encoder if report.preset is None else f"{report.encoder}, preset {report.preset}"

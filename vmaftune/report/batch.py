"""The page of a batch: what became of every file, and what all of them come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vmaftune.encoders.spec import number
from vmaftune.quality.measure import USUAL_MEASURE, Measure
from vmaftune.report.bars import Bar, bars
from vmaftune.report.page import Page, Section, Tile
from vmaftune.report.scale import Axis, round_step
from vmaftune.report.svg import Chart, Columns
from vmaftune.report.table import Cell, Table, amount
from vmaftune.report.words import counted, lasting, size

MOST_ROWS = 2000
"""Files that the table shows at most, so that a page stays one that opens at once."""

_MOST_COLUMNS = 24


@dataclass(frozen=True, kw_only=True)
class BatchFile:
    """What became of one file; None is what is not known.

    Attributes:
        name: as it is shown.
        state: ``done``, ``failed``, ``queued`` or ``running``.
        reason: why it failed.
        crf, score, target: of the result, and what was asked for.
        measure: how its score is written.
        source_bytes, output_bytes: of the files, all streams; None where nothing was encoded.
        encoded_percent: size of the encoded video in percent of the source's.
        probes: encodes that its search made.
        seconds: wall time.
        larger: whether the encode is larger than its source.
        warnings: what was said of it besides.
    """

    name: str
    state: str
    reason: str = ""
    crf: float | None = None
    score: float | None = None
    target: float | None = None
    measure: Measure = USUAL_MEASURE
    source_bytes: int | None = None
    output_bytes: int | None = None
    encoded_percent: float | None = None
    probes: int | None = None
    seconds: float | None = None
    larger: bool = False
    warnings: Sequence[str] = ()


def batch_page(files: Sequence[BatchFile], total_seconds: float | None = None, subject: str = "Batch") -> Page:
    """The page of a batch.

    Args:
        total_seconds: wall time of the run that ended; None where that says nothing.
        subject: what stands above the heading.
    """
    done = [file for file in files if file.state == "done"]
    failed = [file for file in files if file.state == "failed"]
    left = len(files) - len(done) - len(failed)
    title = f"{counted(len(done), 'file')} done"
    title += f", {len(failed)} failed" if failed else ""
    title += f", {left} to go" if left else ""
    larger = [file for file in done if file.larger]
    title += f", {len(larger)} larger than before" if larger else ""
    sections = [*_charts(done), *_sizes(done), _table(files), *_warnings(files), *_failures(failed)]
    return Page(
        title=title,
        subject=subject,
        job="batch",
        good=not failed and not larger,
        lead=_lead(done, failed, total_seconds),
        tiles=_tiles(files, done, total_seconds),
        sections=sections,
    )


def _lead(done: Sequence[BatchFile], failed: Sequence[BatchFile], total_seconds: float | None) -> list[str]:
    lines = []
    before, after = _bytes(done)
    if before:
        change = f"{size(abs(before - after))} {'less' if after <= before else 'more'}"
        lines.append(f"{size(before)} became {size(after)}: {100.0 * after / before:.0f} %, or {change}.")
    spent = sum(file.seconds or 0.0 for file in done)
    if total_seconds is not None and spent:
        lines.append(
            f"The run took {lasting(total_seconds)}; the files that are done took {lasting(spent)} one by one."
        )
    larger = [file for file in done if file.larger]
    if larger:
        are = "is larger than its source" if len(larger) == 1 else "are larger than their sources"
        lines.append(f"{counted(len(larger), 'file')} {are}: a copy would be smaller, and lossless.")
    if failed:
        lines.append(f"{counted(len(failed), 'file')} failed; why is said at the end.")
    return lines


def _tiles(files: Sequence[BatchFile], done: Sequence[BatchFile], total_seconds: float | None) -> list[Tile]:
    tiles = [Tile(label="Done", value=f"{len(done)} of {len(files)}")]
    percents = [file.encoded_percent for file in done if file.encoded_percent is not None]
    if percents:
        tiles.append(Tile(label="Size, median", value=f"{np.median(percents):.0f} %", note="of the source’s video"))
    for measure, scores, _ in _by_measure(done):
        worst = f"lowest {min(scores):.2f}" if measure.higher_is_better else f"highest {max(scores):.2f}"
        tiles.append(Tile(label=f"{measure.title}, median", value=measure.amount(float(np.median(scores))), note=worst))
    probes = [file.probes for file in done if file.probes is not None]
    mean = f"{np.mean(probes):.1f} trial encodes a file" if probes else ""
    seconds = sum(file.seconds or 0.0 for file in done) if total_seconds is None else total_seconds
    tiles.append(Tile(label="Time", value=lasting(seconds), note=mean))
    return tiles


def _bytes(done: Sequence[BatchFile]) -> tuple[int, int]:
    both = [(f.source_bytes, f.output_bytes) for f in done if f.source_bytes is not None and f.output_bytes is not None]
    return sum(before for before, _ in both), sum(after for _, after in both)


def _by_measure(done: Sequence[BatchFile]) -> list[tuple[Measure, list[float], list[float]]]:
    """For each metric that files were scored by: how it is written, their scores, and the targets, rising."""
    found: dict[str, tuple[Measure, list[float], set[float]]] = {}
    for file in done:
        if file.score is not None:
            _, scores, targets = found.setdefault(file.measure.name, (file.measure, [], set()))
            scores.append(file.score)
            targets.update(() if file.target is None else (file.target,))
    return [(measure, scores, sorted(targets)) for measure, scores, targets in found.values()]


def _sizes(done: Sequence[BatchFile]) -> list[Section]:
    before, after = _bytes(done)
    if not before:
        return []
    rows = [Bar(label="before", value=before, text=size(before)), Bar(label="after", value=after, text=size(after))]
    return [
        Section(title="Size of the files", template="bars", content=[("All streams of all encoded files", bars(rows))])
    ]


def _charts(done: Sequence[BatchFile]) -> list[Section]:
    charts = []
    for measure, scores, targets in _by_measure(done):
        if len(scores) > 1:
            aim = f" Asked for: {', '.join(f'{target:g}' for target in targets)}." if targets else ""
            charts.append(
                (histogram(scores, measure.label), f"{measure.title} of {counted(len(scores), 'file')}.{aim}")
            )
    percents = [file.encoded_percent for file in done if file.encoded_percent is not None]
    if len(percents) > 1:
        label = "size, % of the source's video"
        charts.append(
            (
                histogram(percents, label),
                f"Size of {counted(len(percents), 'encode')}, in percent of the source’s video.",
            )
        )
    return [Section(title="Spread", template="charts", content=charts)] if charts else []


def histogram(values: Sequence[float], label: str) -> Chart:
    """How many values lie where, in steps of a round width."""
    low, high = min(values), max(values)
    wanted = min(_MOST_COLUMNS, max(5, math.ceil(2 * math.sqrt(len(values)))))
    step = round_step(max(high - low, 0.05) / wanted)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    edges = [round(n * step, 6) for n in range(first, last + 1)]
    places = np.clip(np.floor(np.array(values) / step).astype(int) - first, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1).tolist()
    titles = [f"{a:g} to {b:g}: {counted(n, 'file')}" for a, b, n in zip(edges, edges[1:], counts, strict=False)]
    columns = Columns(edges=edges, heights=counts, titles=titles, style="column")
    return Chart(
        x=Axis(low=edges[0], high=edges[-1], label=label),
        y=Axis(low=0.0, high=max(counts) * 1.08, label="files", whole=True),
        description=f"Distribution: {'; '.join(title for title, n in zip(titles, counts, strict=True) if n)}.",
        layers=[columns],
    )


def _table(files: Sequence[BatchFile]) -> Section:
    measures = {file.measure.name: file.measure for file in files if file.score is not None}
    one = next(iter(measures.values()), Measure()) if len(measures) < 2 else None
    heading = "Score" if one is None else one.label

    def form(file: BatchFile) -> str:
        """Where files were scored by several metrics, each score says of what it is."""
        return "{:.2f}" if one is not None else f"{file.measure.title} {{:.2f}} {file.measure.unit}".rstrip()

    shown = sorted(files, key=lambda file: file.state != "failed")[:MOST_ROWS]
    rows = []
    for file in shown:
        known = file.score is not None and file.target is not None
        reaches = file.measure.reaches(file.score or 0.0, file.target or 0.0) if known else None
        rows.append(
            (
                Cell(text=file.name),
                _state_cell(file),
                Cell(text="–" if file.crf is None else number(file.crf), key=-1.0 if file.crf is None else file.crf),
                amount(file.score, form(file), {True: "reaches", False: "misses", None: ""}[reaches]),
                _size_cell(file.source_bytes),
                _size_cell(file.output_bytes),
                amount(file.encoded_percent, "{:.1f} %", "misses" if file.larger else ""),
                amount(file.probes, "{:d}"),
                Cell(text="–", key=-1.0)
                if file.seconds is None
                else Cell(text=lasting(file.seconds), key=file.seconds),
            )
        )
    columns = ("<<File", "<State", "CRF", heading, "Before", "After", "Video", "Probes", "Time")
    note = "Before and after are of the files with all their streams; video is of the encoded stream alone."
    if len(shown) < len(files):
        note += f" The first {len(shown):,} of {len(files):,} files, failed ones before others; batch export has all."
    return Section(title="Files", template="table", content=Table(columns=columns, rows=rows, sortable=True, note=note))


def _state_cell(file: BatchFile) -> Cell:
    if file.state == "done" and (file.larger or file.warnings):
        return Cell(text="done", small="larger" if file.larger else "warned", style="misses" if file.larger else "")
    return Cell(text=file.state, style={"done": "reaches", "failed": "misses"}.get(file.state, ""))


def _size_cell(size_bytes: int | None) -> Cell:
    return Cell(text="–", key=-1.0) if size_bytes is None else Cell(text=size(size_bytes), key=size_bytes)


def _warnings(files: Sequence[BatchFile]) -> list[Section]:
    said = [(file.name, line) for file in files for line in file.warnings]
    if not said:
        return []
    rows = [(Cell(text=name), Cell(text=line)) for name, line in said[:MOST_ROWS]]
    table = Table(columns=("<<File", "<<What was said of it"), rows=rows)
    return [Section(title="Warnings", template="table", content=table)]


def _failures(failed: Sequence[BatchFile]) -> list[Section]:
    if not failed:
        return []
    rows = [(Cell(text=file.name), Cell(text=file.reason)) for file in failed[:MOST_ROWS]]
    note = "vmaf-tune batch retry puts them back into the queue."
    table = Table(columns=("<<File", "<<Why it failed"), rows=rows, note=note)
    return [Section(title="Failures", template="table", content=table)]

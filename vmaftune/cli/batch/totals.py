"""What a batch came to: sizes before and after, probes, time, and what failed for which reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.filesize import decimal

from vmaftune.batch.queue import Row
from vmaftune.cli.batch.common import failure_line, larger_of, name_of, percent_of, probes_of
from vmaftune.cli.batch.screen import files
from vmaftune.cli.corpus_screen import span


def total_lines(rows: Sequence[Row], now: int, seconds: float) -> list[str]:
    """Of all rows that this batch was about.

    Args:
        now: rows that ended in this run.
        seconds: that it took.
    """
    done = [row for row in rows if row.state == "done" and row.report is not None]
    failed = [row for row in rows if row.state == "failed"]
    lines = [f"{files(len(done))} done, {len(failed)} failed; {now} now, in {span(seconds)}"]
    reports = [row.report for row in done if row.report is not None]
    if not reports:
        return lines
    encoded = [report for report in reports if "output_bytes" in report]
    probes = sum(map(probes_of, reports)) / len(reports)
    if encoded:
        before, after = (sum(int(r[name]) for r in encoded) for name in ("source_bytes", "output_bytes"))
        share = f" ({100 * after / before:.1f} %)" if before else ""
        lines.append(f"{decimal(before)} became {decimal(after)}{share}; {probes:.1f} probes a file")
    else:
        percents = [percent for report in reports if (percent := percent_of(report)) is not None]
        mean = f"{sum(percents) / len(percents):.1f} % of the source's video on average; " if percents else ""
        lines.append(f"{mean}{probes:.1f} probes a file")
    return lines


def failure_lines(rows: Iterable[Row]) -> list[str]:
    """A line for each file that failed, with the reason."""
    failed = [row for row in rows if row.state == "failed"]
    return [f"  {failure_line(row.path, row.reason or '')}" for row in failed]


def larger_rows(rows: Iterable[Row]) -> list[Row]:
    """Files that are done and came out larger than their source."""
    return [row for row in rows if row.state == "done" and row.report is not None and larger_of(row.report)]


def warned_rows(rows: Iterable[Row]) -> list[Row]:
    """Files that are done and of which something was said."""
    return [row for row in rows if row.state == "done" and row.warnings]


def larger_lines(rows: Iterable[Row]) -> list[str]:
    """A line for each file that came out larger, below one that says so."""
    larger = larger_rows(rows)
    if not larger:
        return []
    said = "is larger than its source" if len(larger) == 1 else "are larger than their sources"
    lines = [f"{files(len(larger))} {said}; --max-encoded-percent 100 refuses such results:"]
    for row in larger:
        percent = None if row.report is None else percent_of(row.report)
        share = "" if percent is None else f": {percent:.1f} % of the source's video"
        lines.append(f"  {name_of(row.path)}{share}")
    return lines


def warning_lines(rows: Iterable[Row]) -> list[str]:
    """Where the warnings are that went by."""
    warned = warned_rows(rows)
    return [f"{files(len(warned))} with warnings; vmaf-tune batch status lists them"] if warned else []

"""``batch --report``: the page of what became of every file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vmaftune.batch.queue import Row
from vmaftune.cli.batch.common import larger_of, measure_of, name_of, percent_of, probes_of, score_of, search_of
from vmaftune.report.batch import BatchFile, batch_page
from vmaftune.report.page import write_page


def write_batch_page(rows: Sequence[Row], seconds: float, file: Path) -> None:
    """Write the page of what a queue holds. Raises UserError where the file cannot be written.

    Args:
        seconds: wall time of the run that ended.
    """
    write_page(batch_page([_batch_file(row) for row in rows], seconds), file)


def _batch_file(row: Row) -> BatchFile:
    known, report = row.report is not None, row.report or {}
    return BatchFile(
        name=name_of(row.path),
        state=row.state,
        reason=row.reason or "",
        crf=report.get("crf"),
        score=score_of(report),
        measure=measure_of(report),
        target=search_of(report).get("target"),
        source_bytes=report.get("source_bytes"),
        output_bytes=report.get("output_bytes"),
        encoded_percent=percent_of(report) if known else None,
        probes=probes_of(report) if known else None,
        seconds=row.seconds,
        larger=known and larger_of(report),
        warnings=row.warnings,
    )

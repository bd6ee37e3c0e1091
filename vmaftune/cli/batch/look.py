"""Looking after the queue: ``batch status``, ``retry``, ``export`` and ``clear``."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from vmaftune.batch.queue import STATES, Queue, Row
from vmaftune.cli.batch.common import (
    failure_line,
    larger_of,
    measure_of,
    name_of,
    percent_of,
    probes_of,
    queue_option,
    queue_path,
    score_of,
)
from vmaftune.cli.batch.screen import files
from vmaftune.cli.output import print_json
from vmaftune.errors import UserError
from vmaftune.json_text import encoded
from vmaftune.media.facts import shown
from vmaftune.quality.measure import Measure
from vmaftune.quality.scale import USUAL
from vmaftune.state.output import write_output

_PATH = click.Path(path_type=Path)
_COLUMNS = (
    *("file", "output", "state", "crf", "vmaf", "encoded_percent", "probes", "seconds", "reason", "options"),
    *("larger", "warnings", "score", "metric", "unit"),
)


@click.command("status")
@queue_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def status(queue: Path | None, as_json: bool) -> None:
    """How many files are queued, running, done and failed, why those failed, and what was said of those that are done."""
    with _there(queue) as there:
        counts = there.counts()
        rows = [row for row in there.rows(states=("running", "failed", "done")) if row.state != "done" or row.warnings]
    if as_json:
        print_json({"queue": str(queue_path(queue)), **counts, "files": [_object(row) for row in rows]})
        return
    click.echo(", ".join(f"{count} {state}" for state, count in counts.items()))
    for row in rows:
        what = failure_line(row.path, row.reason or "") if row.state == "failed" else name_of(row.path)
        click.echo(f"{row.state:8}{what}")
        for line in row.warnings:
            click.echo(f"{'':8}  {line}")


@click.command("retry")
@click.argument("named", nargs=-1, type=_PATH, metavar="[FILES]")
@click.option("--failed", is_flag=True, help="Of FILES, only those that failed.")
@queue_option
def retry(named: tuple[Path, ...], failed: bool, queue: Path | None) -> None:
    """Put files back into the queue: all that failed, or FILES, whatever became of them. vmaf-tune batch does them then."""
    with _there(queue) as there:
        ids = _ids(there, named, ("failed",) if failed else STATES) if named else None
        count = there.retry(ids)
    click.echo(f"{files(count)} queued again{'; vmaf-tune batch does them' if count else ''}")


@click.command("export")
@click.argument("output", type=_PATH, metavar="FILE.csv|json")
@queue_option
def export(output: Path, queue: Path | None) -> None:
    """Write what became of every file: a table as CSV, or with the whole reports as JSON."""
    if output.suffix not in (".csv", ".json"):
        raise UserError(f"{output}: name a file that ends in .csv or .json")
    with _there(queue) as there:
        rows = list(there.rows())
    content = _csv(rows) if output.suffix == ".csv" else encoded([_object(row) for row in rows]) + b"\n"
    write_output(output, content, "the results to")
    click.echo(f"{output}: {files(len(rows))}")


@click.command("clear")
@click.option("--all", "everything", is_flag=True, help="Those that are queued or failed too.")
@queue_option
def clear(everything: bool, queue: Path | None) -> None:
    """Forget files that are done; no file is touched. Asked for again, they are done again."""
    with _there(queue) as there:
        count = there.clear(("done", "failed", "queued") if everything else ("done",))
    click.echo(f"{files(count)} forgotten")


@contextmanager
def _there(given: Path | None) -> Iterator[Queue]:
    """The queue, with what dead batches ran put back. Raises UserError where there is none."""
    path = queue_path(given)
    if not path.is_file():
        raise UserError(f"there is no queue {path}; vmaf-tune batch FILES makes one, --queue names another")
    queue = Queue(path)
    try:
        queue.recover()
        yield queue
    finally:
        queue.close()


def _ids(queue: Queue, named: tuple[Path, ...], states: tuple[str, ...]) -> list[int]:
    """Rows of these files. Raises UserError for a file that has none."""
    found: dict[bytes, list[int]] = {}
    for row in queue.rows():
        found.setdefault(row.file, []).extend([row.id] if row.state in states else [])
    for path in named:
        if os.fsencode(path.absolute()) not in found:
            raise UserError(f"{shown(path)} is not in the queue {queue.path}")
    return [one for path in named for one in found[os.fsencode(path.absolute())]]


def _object(row: Row) -> dict[str, Any]:
    return {
        "file": str(row.path),
        "output": None if row.output_path is None else str(row.output_path),
        "state": row.state,
        "options": row.options,
        "code": row.code,
        "reason": row.reason or None,
        "seconds": row.seconds,
        "larger": None if row.report is None else larger_of(row.report),
        "warnings": row.warnings,
        "report": row.report,
    }


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    for row in rows:
        report = row.report
        score = None if report is None else score_of(report)
        measure = Measure() if report is None else measure_of(report)
        vmaf = score if measure.name == USUAL.metric else None
        found = (None,) * 4 if report is None else (report["crf"], vmaf, percent_of(report), probes_of(report))
        options = " ".join(f"{name}={value}" for name, value in row.options.items())
        larger = None if report is None else int(larger_of(report))
        said = " | ".join(row.warnings)
        scored = (None,) * 3 if score is None else (score, measure.name, measure.unit)
        ended = (row.seconds, row.reason, options, larger, said)
        table.writerow((row.path, row.output_path, row.state, *found, *ended, *scored))
    return text.getvalue().encode("utf-8", "surrogateescape")

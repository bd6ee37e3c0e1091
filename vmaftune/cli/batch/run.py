"""Running a batch."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_type_hints

import click
from rich.text import Text

from vmaftune.batch.executors import Executor, LocalExecutor
from vmaftune.batch.messages import Result
from vmaftune.batch.observers import BatchObservers
from vmaftune.batch.plan import OF_THE_RUN, Plan, merged
from vmaftune.batch.queue import Queue, Row
from vmaftune.batch.run import run_batch
from vmaftune.cli.batch.common import larger_of, queue_option, queue_path, result_line
from vmaftune.cli.batch.group import BatchCommand
from vmaftune.cli.batch.page import write_batch_page
from vmaftune.cli.batch.screen import BatchScreen
from vmaftune.cli.batch.totals import (
    failure_lines,
    larger_lines,
    larger_rows,
    total_lines,
    warned_rows,
    warning_lines,
)
from vmaftune.cli.options import (
    choice_options,
    events_option,
    goal_options,
    host_options,
    not_with_events,
    plugin_options,
    range_options,
    report_option,
    sample_options,
    score_options,
    whole_options,
)
from vmaftune.cli.output import json_line, say
from vmaftune.errors import UserError
from vmaftune.events.schema import BatchSummary
from vmaftune.events.stream import EventStream
from vmaftune.ffmpeg.locate import Ffmpeg
from vmaftune.jobs.check import check_wanted
from vmaftune.jobs.options import EncodeOptions, SearchOptions, checked
from vmaftune.jobs.session import Session, warn
from vmaftune.report.page import check_page

_FAILED, _NOT_MET = 1, 3
_OF_ENCODES = sorted(set(get_type_hints(EncodeOptions)) - set(get_type_hints(SearchOptions)))
_PATH = click.Path(path_type=Path)
_OF_THE_COMMAND = (
    "named",
    "output",
    "search_only",
    "jobs",
    "queue",
    "as_json",
    "overwrite",
    "report",
    "scheduler",
    "ship",
    "events",
)


@click.command("batch", cls=BatchCommand)
@click.argument("named", nargs=-1, type=_PATH, metavar="FILES|DIR|MANIFEST.csv …")
@click.option("-o", "--output", type=_PATH, metavar="DIR", help="Where encodes go.  [default: beside their sources]")
@click.option("--search-only", is_flag=True, help="Find the CRFs; encode nothing.")
@click.option("--jobs", type=click.IntRange(1, 4096), help="At a time.  [default: 1, or the cluster's threads]")
@click.option("--overwrite", is_flag=True, help="Write over outputs that are there.")
@queue_option
@click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Run on a Dask cluster; files by their path on shared storage."
)
@click.option("--ship", is_flag=True, help="Send samples to the cluster instead; with --search-only.")
@choice_options
@goal_options
@range_options
@sample_options
@score_options
@whole_options
@plugin_options
@host_options
@report_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=not_with_events,
    help="A JSON object for each file, a line each, as it is done.",
)
@events_option
def command(**options: Any) -> int:
    """Search and encode many files: FILES, the videos below a DIR, or those of a table with columns file, output, and options.

    \b
    vmaf-tune batch films/ -o encoded/ -e libx265 --min-vmaf 93 --jobs 2
    vmaf-tune batch                     goes on with all that is queued
    """
    check_page(options["report"])
    if options["ship"] and options["scheduler"] is None:
        raise UserError("--ship sends samples to a cluster: name its --scheduler")
    if options["ship"] and not options["search_only"]:
        raise UserError("--ship sends samples only, which make no whole encode: add --search-only")
    began = time.monotonic()
    run = {name: options.pop(name) for name in _OF_THE_COMMAND}
    events: EventStream = run["events"]
    events.started("batch", *run["named"])
    session = Session(options, events.warn)
    host = {name: _absolute(options[name]) for name in OF_THE_RUN if options.get(name) is not None}
    ffmpeg = session.ffmpeg()  # what is wrong for all files is said once
    with ExitStack() as stack:
        queue = Queue(queue_path(run["queue"], options["cache_dir"]))
        stack.callback(queue.close)
        queue.recover()
        enqueued = None
        if run["named"]:
            wanted = _plan(run, options, session, ffmpeg).of(run["named"])
            enqueued = queue.add(wanted, overwrite=run["overwrite"])
        ids = None if enqueued is None else enqueued.ids
        counts = queue.counts(ids)
        if not sum(counts.values()):
            raise UserError("the queue is empty: name video files, a folder of them, or a table (.csv)")
        executor, learn = _executor(run, host, stack)
        stack.callback(executor.close)
        screen, told = _Printing(as_json=run["as_json"], quiet=events.on), events.batch_observer()
        try:
            with screen:
                screen.begin(enqueued, counts)
                told.begin(counts)
                observer = BatchObservers(screen, told)
                run_batch(
                    queue,
                    executor,
                    observer,
                    ids=ids,
                    host=host,
                    overwrite=run["overwrite"],
                    said=session.warnings,
                    learn=learn,
                    metrics=session.manager.metrics,
                )
        except (KeyboardInterrupt, SystemExit):
            executor.close()
            _say_how_to_go_on(queue, screen, ids, run["queue"])
            raise
        rows = list(queue.rows(ids))
    seconds = time.monotonic() - began
    if run["report"] is not None:
        write_batch_page(rows, seconds, run["report"])
    code = _summary(rows, screen, seconds)
    events.result(code, batch=_totals(rows, seconds))
    return code


def _plan(run: Mapping[str, Any], options: Mapping[str, Any], session: Session, ffmpeg: Ffmpeg) -> Plan:
    own = merged(options, session.config.search)
    if run["search_only"] and (only := [name for name in _OF_ENCODES if own.pop(name, None) is not None]):
        raise UserError(f"--{only[0].replace('_', '-')} says how to encode: leave it out with --search-only")
    kind: type[Any] = SearchOptions if run["search_only"] else EncodeOptions
    encoders = frozenset(session.manager.encoders)
    options = dict(checked(own, kind))
    encode = not run["search_only"]

    def check(wanted: Mapping[str, Any]) -> None:
        check_wanted(session.replaced(**wanted), ffmpeg, encode=encode)

    return Plan(
        encoders=encoders,
        options=options,
        folder=run["output"],
        encode=encode,
        check=check,
        warn=session.warn,
        elsewhere=run["scheduler"] is not None,
        safe=session.option("safe", False),
    )


def _executor(
    run: Mapping[str, Any], host: Mapping[str, Any], stack: ExitStack
) -> tuple[Executor, Callable[[Row, Result], None]]:
    """Who does the jobs, and who learns from their captures: local ones do so themselves."""
    if run["scheduler"] is None:
        return LocalExecutor(run["jobs"] or 1), lambda row, result: None
    from vmaftune.batch.away import Packer
    from vmaftune.batch.cluster import ClusterExecutor
    from vmaftune.batch.teacher import Teacher

    executor = ClusterExecutor(run["scheduler"], Packer(host, warn, ship=run["ship"]), run["jobs"])
    return executor, stack.enter_context(Teacher(host, warn)).learn


class _Printing(BatchScreen):
    """A batch screen that prints results on standard output as they come."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        super().__init__()
        self._as_json, self._quiet = as_json, quiet

    def ended(self, row: Row, result: Result) -> None:
        super().ended(row, result)
        if not self._quiet:
            self.print_result(Text(json_result(row, result)) if self._as_json else _line(row, result))


def json_result(row: Row, result: Result) -> str:
    """One file's result for programs."""
    output = None if row.output_path is None else str(row.output_path)
    return json_line(
        {
            "file": str(row.path),
            "output": output,
            "state": "failed" if result.code else "done",
            "code": result.code,
            "reason": result.reason or None,
            "seconds": result.seconds,
            "larger": None if result.report is None else larger_of(result.report),
            "warnings": result.warnings,
            "report": result.report,
        }
    )


def _line(row: Row, result: Result) -> Text:
    line = result_line(row.path, result.report, result.reason, result.seconds)
    state, style = ("failed", "red") if result.code else ("done", "green")
    if not result.code and (result.warnings or (result.report is not None and larger_of(result.report))):
        style = "yellow"
    return Text.assemble((f"{state:8}", style), line)


def _absolute(value: Any) -> Any:
    return str(value.absolute()) if isinstance(value, Path) else value


def _say_how_to_go_on(queue: Queue, screen: BatchScreen, ids: list[int] | None, named: Path | None) -> None:
    counts = queue.counts(ids)
    left = counts["queued"] + counts["running"]
    again = "vmaf-tune batch" if named is None else f"vmaf-tune batch --queue {shlex.quote(str(named))}"
    say(f"{len(screen.ended_now)} ended now, {left} left; {again} goes on from there")


def _totals(rows: list[Row], seconds: float) -> BatchSummary:
    states = [row.state for row in rows]
    done, failed = states.count("done"), states.count("failed")
    return BatchSummary(
        done=done,
        failed=failed,
        left=len(rows) - done - failed,
        total_seconds=round(seconds, 3),
        larger=len(larger_rows(rows)),
        warned=len(warned_rows(rows)),
    )


def _summary(rows: list[Row], screen: BatchScreen, seconds: float) -> int:
    for line in total_lines(rows, len(screen.ended_now), seconds):
        click.echo(line, err=True)
    for line in (*larger_lines(rows), *warning_lines(rows), *failure_lines(rows)):
        click.echo(line, err=True)
    codes = {row.code for row in rows if row.state == "failed"}
    return _FAILED if codes - {_NOT_MET} else _NOT_MET if codes else 0

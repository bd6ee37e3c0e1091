"""``vmaf-tune crf-search``, and its synonym ``vmaf-tune --crf-search``."""

from __future__ import annotations

import sys
from typing import Any

import click

from vmaftune.cli.options import (
    encode_options,
    events_option,
    goal_options,
    host_options,
    json_option,
    plot_option,
    plugin_options,
    range_options,
    report_option,
    sample_options,
    score_options,
)
from vmaftune.cli.output import print_json
from vmaftune.cli.page import write_search_page
from vmaftune.cli.plot import check_figure, plot_search
from vmaftune.cli.report import result_lines
from vmaftune.cli.screen import Screen
from vmaftune.cli.sections import SectionedCommand
from vmaftune.events.stream import EventStream
from vmaftune.jobs.observers import Observers
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import not_met
from vmaftune.jobs.session import Session, warn
from vmaftune.report.page import check_page

_NOT_MET = 3


@click.command("crf-search", cls=SectionedCommand)
@encode_options
@goal_options
@range_options
@sample_options
@score_options
@plugin_options
@host_options
@plot_option
@report_option
@json_option
@events_option
def command(**options: Any) -> int:
    """Find the coarsest CRF whose VERIFIED VMAF is at least --min-vmaf, in as few trial encodes as possible.

    \b
    vmaf-tune crf-search -i film.mkv -e libx265 --preset slow --min-vmaf 93
    vmaf-tune --crf-search --plugin ridge-sidecar -i film.mkv
    """
    check_figure(options["plot"])
    check_page(options["report"])
    events: EventStream = options["events"]
    events.started("crf-search", options["input_"])
    session = Session(options, events.warn)
    machine = options["as_json"] or events.on
    with Screen(quiet=machine and not sys.stderr.isatty()) as screen:
        report = run_search(session, options["input_"], Observers(screen, events.observer()))
    if options["as_json"]:
        print_json(report)
    elif report.target_met and not events.on:
        click.echo("\n".join(result_lines(report)))
    if options["plot"] is not None:
        plot_search(report, options["plot"])
    if options["report"] is not None:
        write_search_page(session, options["input_"], report, options["report"])
    code, message = (0, None) if report.target_met else (_NOT_MET, not_met(report))
    if message is not None:
        warn(message)
    events.result(code, message, search=report)
    return code

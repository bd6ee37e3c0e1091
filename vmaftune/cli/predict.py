"""``vmaf-tune predict``: the predicted curve of a source."""

from __future__ import annotations

import sys
from typing import Any

import click
import numpy as np

from vmaftune.cli.options import (
    encode_options,
    events_option,
    host_options,
    json_option,
    plot_option,
    plugin_options,
    range_options,
    sample_options,
    score_options,
)
from vmaftune.cli.output import print_json
from vmaftune.cli.plot import check_figure, plot_prediction
from vmaftune.cli.screen import Screen
from vmaftune.cli.sections import SectionedCommand
from vmaftune.encoders.spec import number
from vmaftune.events.stream import EventStream
from vmaftune.jobs.observers import Observers
from vmaftune.jobs.predict import PredictReport, run_predict
from vmaftune.jobs.session import Session

_LINES = 13


@click.command("predict", cls=SectionedCommand)
@encode_options
@range_options
@sample_options
@score_options
@plugin_options
@host_options
@plot_option
@json_option
@events_option
def command(**options: Any) -> None:
    """The curve of VMAF, or another metric, over CRF that is expected of a source, with its 90 % band.

    Nothing is encoded, nothing is verified.

    \b
    vmaf-tune predict -i film.mkv -e libx265 --preset slow
    """
    check_figure(options["plot"])
    events: EventStream = options["events"]
    events.started("predict", options["input_"])
    session = Session(options, events.warn)
    machine = options["as_json"] or events.on
    with Screen(quiet=machine and not sys.stderr.isatty()) as screen:
        report = run_predict(session, options["input_"], Observers(screen, events.observer()))
    if options["as_json"]:
        print_json(report)
    elif not events.on:
        click.echo("\n".join(_lines(report)))
    if options["plot"] is not None:
        title = f"{report.encoder} preset {report.preset or 'none'}: {report.predictor.split('@')[0]}"
        plot_prediction(report, title, options["plot"])
    events.result(predict=report)


def _lines(report: PredictReport) -> list[str]:
    lines = [f"{report.encoder} preset {report.preset or 'none'}, expected by {report.predictor} (not verified)"]
    lines += report.notes
    measure = report.measure
    unit = f", {measure.unit}" if measure.unit else ""
    lines.append(f"   CRF  {measure.title:>6}   90 % band{unit}")
    for place in np.unique(np.linspace(0, len(report.crfs) - 1, _LINES).round().astype(int)):
        crf, mean, reach = report.crfs[place], report.score[place], 1.645 * report.deviation[place]
        low, high = max(measure.lowest, mean - reach), min(measure.highest, mean + reach)
        lines.append(f"{number(crf):>6}  {mean:6.2f}   {low:6.2f} to {high:6.2f}")
    return lines

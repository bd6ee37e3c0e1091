"""``vmaf-tune crf-search``, and its synonym ``vmaf-tune --crf-search``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import (
    NUMBER,
    encode_options,
    host_options,
    json_option,
    plugin_options,
    range_options,
    sample_options,
    score_options,
)
from vmaftune.cli.output import print_json
from vmaftune.cli.plot import check_figure, plot_search
from vmaftune.cli.report import SearchReport, encodes_made, result_lines, result_probe, search_report
from vmaftune.cli.screen import Screen
from vmaftune.cli.session import Session, warn
from vmaftune.encoders.spec import number
from vmaftune.errors import UserError
from vmaftune.ffmpeg.vmaf import check_pool
from vmaftune.media.facts import shown
from vmaftune.search.engine import Outcome, search
from vmaftune.search.prober import Prober
from vmaftune.search.source import PreparedSource, prepare
from vmaftune.search.strategy import Goal
from vmaftune.state.workspace import workspace

_NOT_MET = 3


@click.command("crf-search")
@encode_options
@click.option("--min-vmaf", type=NUMBER, help="VMAF to reach.  [default: 95]")
@click.option("--tolerance", type=NUMBER, help="How far above is good enough.  [default: 0.25]")
@click.option("--max-encoded-percent", type=NUMBER, help="Largest encode, in percent of the source's video.")
@range_options
@click.option("--max-probes", type=click.IntRange(1), help="Trial encodes at most.  [default: 10]")
@click.option("--explore/--no-explore", default=None, help="Score a part of a trial encode first where that pays.")
@sample_options
@score_options
@plugin_options
@host_options
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE.png|svg", help="Draw the search (needs matplotlib)."
)
@json_option
def command(**options: Any) -> int:
    """Find the coarsest CRF whose VERIFIED VMAF is at least --min-vmaf, in as few trial encodes as possible.

    \b
    vmaf-tune crf-search -i film.mkv -e libx265 --preset slow --min-vmaf 93
    vmaf-tune --crf-search --plugin ridge-sidecar -i film.mkv
    """
    check_figure(options["plot"])
    session = Session(options)
    report = run_search(session, options["input_"], quiet=options["as_json"] and not sys.stderr.isatty())
    if options["as_json"]:
        print_json(report)
    elif report.target_met:
        click.echo("\n".join(result_lines(report)))
    if options["plot"] is not None:
        plot_search(report, options["plot"])
    if not report.target_met:
        warn(_not_met(report))
        return _NOT_MET
    return 0


def run_search(session: Session, path: Path, *, quiet: bool) -> SearchReport:
    """One search as the session's options want it.

    Raises:
        UserError: an option or the source is wrong.
    """
    began = time.monotonic()
    goal = _goal(session)
    limit = session.option("max_encoded_percent", None)
    if limit is not None and not limit > 0:
        raise UserError(f"--max-encoded-percent {limit:g} must be above 0")
    pool = check_pool(session.option("pool", "mean"))
    ffmpeg = session.ffmpeg()
    spec = session.encoder(ffmpeg)
    grid = session.grid(spec)
    with session.plugins() as plugins, workspace() as folder, Screen(goal.target, quiet=quiet) as screen:
        source = prepare(ffmpeg, path, session.encode_request(spec), session.store, folder)
        screen.note(_heading(source, goal))
        prober = Prober(
            ffmpeg,
            source,
            pool=pool,
            threads=session.threads(),
            store=session.store,
            folder=folder,
            explore=session.option("explore", True),
        )
        outcome: Outcome = search(
            features=source.measured.features,
            encoder=spec,
            preset=source.settings.preset,
            grid=grid,
            goal=goal,
            max_encoded_percent=limit,
            prober=prober,
            plugins=plugins,
            observer=screen,
        )
        active = [(r.name, r.kind, r.version) for r in plugins.active]
    seconds = time.monotonic() - began
    return search_report(outcome, source, ffmpeg, goal, active, pool=pool, total_seconds=seconds)


def _goal(session: Session) -> Goal:
    target, tolerance = session.option("min_vmaf", 95.0), session.option("tolerance", 0.25)
    if not 0 < target <= 100:
        raise UserError(f"--min-vmaf {target:g} must be above 0 and at most 100: VMAF ends there")
    if not 0 <= tolerance <= 20:
        raise UserError(f"--tolerance {tolerance:g} must be from 0 to 20")
    return Goal(target=target, tolerance=tolerance, max_probes=session.option("max_probes", 10))


def _heading(source: PreparedSource, goal: Goal) -> str:
    facts, settings = source.facts, source.settings
    what = f"{facts.width}x{facts.height} {facts.fps:.5g} fps {facts.codec} {facts.pix_fmt}"
    spans = f"{len(source.samples)} samples, " if len(source.samples) > 1 else ""
    frames = sum(source.frames)
    return (
        f"{shown(source.path.name)}: {what}, {spans}{frames} frame{'' if frames == 1 else 's'} to score\n"
        f"  {settings.spec.name} preset {settings.preset or 'none'} {settings.pix_fmt}, "
        f"VMAF {goal.target:g} to {goal.target + goal.tolerance:g}"
    )


def _not_met(report: SearchReport) -> str:
    closest = f"CRF {number(report.crf)} came closest with a verified VMAF of {report.vmaf:.2f}"
    if report.stop.reason == "too-large":
        return (
            f"no encode reaches VMAF {report.target:g} within --max-encoded-percent: {closest} and is already "
            f"{result_probe(report).encoded_percent:.1f} % of the source"
        )
    if report.stop.reason == "probe-limit":
        return (
            f"VMAF {report.target:g} was not reached in {encodes_made(report)}: {closest}; allow more with --max-probes"
        )
    return f"VMAF {report.target:g} cannot be met: {closest} ({report.stop.text}); lower --min-vmaf or --min-crf"

"""``vmaf-tune sidecar record`` and ``replay``: learn from captures in a file, or see what learning from them brings."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
from rich.progress import BarColumn, TextColumn

from vmaftune.cli.live import LiveLine
from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.cli.sidecar.chosen import one_chosen, sidecar_session, switched_on
from vmaftune.cli.sidecar.options import predictor_option
from vmaftune.cli.sidecar.tables import counted, of_scale, print_table
from vmaftune.host.run import PluginRun
from vmaftune.jobs.session import Session
from vmaftune.learned.captures import SourceScores, file_lines, read_sources
from vmaftune.learned.teach import Taught, teach
from vmaftune.quality.scale import USUAL, Scale
from vmaftune.state.workspace import workspace

_STDIN = Path("-")

_learners_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="NAME",
    help="Correction that learns (repeatable).  [default: those switched on in the configuration, or the only one]",
)


class ErrorRow(msgspec.Struct, frozen=True, kw_only=True):
    """Mean absolute error before and after correction, of captures that were not learned yet; in score, and once more where the
    metric is VMAF."""

    what: str
    scale: str
    captures: int
    mae_before: float
    mae_after: float
    mae_before_vmaf: float | None
    mae_after_vmaf: float | None


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``replay --json`` prints. Rows, for each scale: all, the last half, and each encoder."""

    plugins: list[str]
    predictor_versions: list[str]
    sources: int
    errors: list[ErrorRow]


@click.command("record")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.jsonl|-")
@_learners_option
@predictor_option
@host_options
def record(file: Path, **options: Any) -> None:
    """Learn from captures that were made elsewhere, one JSON object a line, or from the rows of a corpus.

    \b
    {"features": [20 numbers], "encoder": "libx264", "preset": "medium", "crf": 23, "observed": 94.1}
    features may be {"name": number} too, in the units of docs/predictor.md; "unix_seconds" says
    when, and "scale" of what scale it was observed, such as "vmaf_v0.6.1~p5": the mean of VMAF
    v0.6.1 where it is left out.

    All lines are checked before anything is learned. Lines with the same features are one source. A score that is known
    already adds nothing.

    \b
    vmaf-tune sidecar record captures.jsonl
    """
    session = sidecar_session({**options, "strict_plugins": True})
    with _learning(session, options["plugins"]) as run:
        sources = _sources(file, session)
        taught = _taught(run, sources)
        names = ", ".join(_corrections(run))
    click.echo(f"{names} learned {counted(len(taught), 'capture')} of {counted(len(sources), 'source')}")
    each = Counter((one.encoder, one.preset or "none", one.predictor_version, of_scale(one.scale)) for one in taught)
    for (encoder, preset, version, scale), captures in sorted(each.items()):
        click.echo(f"  {encoder} preset {preset}{scale}: {captures}, predicted by {version}")


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.jsonl|-")
@_learners_option
@predictor_option
@host_options
@json_option
def replay(file: Path, **options: Any) -> None:
    """What learning from FILE (as of record) would bring, beginning with nothing; nothing is kept.

    Each source is predicted before its scores are learned, in the order of the file.

    \b
    vmaf-tune sidecar replay captures.jsonl
    """
    with workspace() as folder:
        session = sidecar_session({**options, "strict_plugins": True, "cache_dir": folder})
        with _learning(session, options["plugins"]) as run:
            sources = _sources(file, session)
            taught = _taught(run, sources)
            names = _corrections(run)
    report = ReplayReport(
        plugins=names,
        predictor_versions=sorted({one.predictor_version for one in taught}),
        sources=len(sources),
        errors=_errors(taught),
    )
    if options["as_json"]:
        print_json(report)
        return
    what = f"{counted(len(taught), 'capture')} of {counted(len(sources), 'source')}"
    click.echo(f"{', '.join(names)} on {what}, each predicted before it was learned; nothing was kept")
    numbers = ("captures", "error before", "error after", "change")
    print_table(("", *numbers), [_shown(row) for row in report.errors], numbers)


@contextmanager
def _learning(session: Session, named: Sequence[str]) -> Iterator[PluginRun]:
    """A run with the corrections that are to learn, chained as in a search; the only one there is where none was named.

    Raises:
        UserError: there are several, and none was named.
    """
    for name in named:
        session.manager.find(name, ("correction",))
    run = session.plugin_run(named if named or switched_on(session) else (one_chosen(session, ()).name,))
    try:
        yield run
    finally:
        run.close()


def _corrections(run: PluginRun) -> list[str]:
    return [registration.name for registration in run.active if registration.kind == "correction"]


def _sources(file: Path, session: Session) -> list[SourceScores]:
    lines = sys.stdin.buffer if file == _STDIN else file_lines(file)
    name = "standard input" if file == _STDIN else str(file)
    return read_sources(lines, name, session.manager.encoders, session.manager.metrics)


def _taught(run: PluginRun, sources: list[SourceScores]) -> list[Taught]:
    with LiveLine() as line:
        display = line.show_live(TextColumn("  {task.completed}/{task.total} sources"), BarColumn(30))
        if display is None:
            return teach(run, sources)
        task = display.add_task("", total=len(sources))
        return teach(run, sources, lambda source: display.advance(task))


def _errors(taught: list[Taught]) -> list[ErrorRow]:
    by_scale: dict[Scale, list[Taught]] = {}
    for one in taught:
        by_scale.setdefault(one.scale, []).append(one)
    rows = []
    for scale, those in by_scale.items():
        rows += [_error_row("all", scale, those), _error_row("last half", scale, those[len(those) // 2 :])]
        for encoder in sorted({one.encoder for one in those}):
            rows.append(_error_row(encoder, scale, [one for one in those if one.encoder == encoder]))
    return rows


def _error_row(what: str, scale: Scale, taught: list[Taught]) -> ErrorRow:
    observed, of_vmaf = np.array([one.observed for one in taught]), scale.metric == "vmaf"
    before = _mean_error(observed, [one.predicted for one in taught])
    after = _mean_error(observed, [one.corrected for one in taught])
    return ErrorRow(
        what=what,
        scale=scale.identity,
        captures=len(taught),
        mae_before=before,
        mae_after=after,
        mae_before_vmaf=before if of_vmaf else None,
        mae_after_vmaf=after if of_vmaf else None,
    )


def _mean_error(observed: Any, expected: list[float]) -> float:
    return round(float(np.abs(observed - np.array(expected)).mean()), 4)


def _shown(row: ErrorRow) -> tuple[str, ...]:
    change = "-" if not row.mae_before else f"{100 * (row.mae_after / row.mae_before - 1):+.0f} %"
    what = row.what if row.scale == USUAL.identity else f"{row.what}, {row.scale}"
    return (what, str(row.captures), f"{row.mae_before:.2f}", f"{row.mae_after:.2f}", change)

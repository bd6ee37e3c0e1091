"""``vmaf-tune train``: models made anew from a corpus."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vmaftune.cli.options import host_options
from vmaftune.cli.session import Session
from vmaftune.errors import UserError
from vmaftune.state.folders import models_folder

if TYPE_CHECKING:
    from vmaftune.corpus.rows import CorpusRow
    from vmaftune.models.entry import ModelEntry
    from vmaftune.training.predictor import TrainedPredictor

SHIPPED_CORPUS = "shipped"
_PRESENT = "mlp_v1"
_LICENCE = "Apache-2.0"
_WORSE_VMAF = 0.02


@click.group("train")
def command() -> None:
    """Make models anew from a corpus (needs torch: pip install 'vmaf-tune[train]')."""


@command.command("predictor")
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...")
@click.option("--id", "model_id", required=True, help="Name of the model.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of its registry.  [default: your own]")
@click.option("--exclude", multiple=True, metavar="SOURCE", help="Leave sources out whose name begins so (repeatable).")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed and data give the same bytes.")
@click.option("--compare", is_flag=True, help="Also evaluate the other designs, and say how they do.")
@click.option("--allow-mixed", is_flag=True, help="Take rows of several major versions of ffmpeg together.")
@click.option("--force", is_flag=True, help="Register it even if it is worse than the present model.")
@host_options
def predictor(
    corpora: tuple[str, ...],
    model_id: str,
    output: Path | None,
    exclude: tuple[str, ...],
    seed: int,
    compare: bool,
    allow_mixed: bool,
    force: bool,
    **options: Any,
) -> None:
    """Train the curve predictor on corpus files ("shipped" is the one that comes with vmaf-tune, and the default).

    \b
    vmaf-tune train predictor shipped mine.jsonl --id mine
    then, in the configuration: [plugins.mlp] model = "mine"
    """
    for module in ("torch", "onnx", "scipy", "matplotlib"):
        if importlib.util.find_spec(module) is None:
            raise UserError(f"training needs {module}: pip install 'vmaf-tune[train]'")
    from vmaftune.corpus.rows import packed
    from vmaftune.models import register
    from vmaftune.training.card import model_card
    from vmaftune.training.design import SHIPPED
    from vmaftune.training.plots import held_out_figure

    session = Session(options)
    rows = _rows(corpora or (SHIPPED_CORPUS,), exclude, allow_mixed)
    ranges = {name: spec.search_range for name, spec in session.manager.encoders.items()}
    if compare:
        _compare(rows, ranges, seed)
    trained = _trained(rows, ranges, seed)
    click.echo("\n".join(_lines(trained)))
    if not force:
        _refuse_worse(trained)
    data = packed(rows)
    folder = output if output is not None else models_folder()
    names = {"model": f"{model_id}.onnx", "data": f"{model_id}.rows.jsonl.gz", "card": f"{model_id}.md"}
    card = model_card(model_id, trained, SHIPPED, data=names["data"], rows=len(rows), seed=seed, licence=_LICENCE)
    entry = register(
        folder,
        _entry(model_id, trained, names, data),
        {names["model"]: trained.content, names["data"]: data, names["card"]: card.encode()},
    )
    figure = folder / f"{model_id}.held-out.png"
    try:
        figure.write_bytes(held_out_figure(trained))
    except OSError as error:
        raise UserError(f"cannot write {figure}: {error.strerror}") from error
    click.echo(f"registered {entry.version} in {folder}; its card: {entry.card}, its figures: {figure.name}")


def _rows(corpora: tuple[str, ...], exclude: tuple[str, ...], allow_mixed: bool) -> list[CorpusRow]:
    from vmaftune.corpus.check import check_corpus
    from vmaftune.corpus.rows import read_rows

    rows: list[CorpusRow] = []
    for corpus in corpora:
        rows += _shipped_rows() if corpus == SHIPPED_CORPUS else read_rows(Path(corpus))
    kept = [row for row in rows if not row.source.startswith(exclude)] if exclude else rows
    check_corpus(kept, " and ".join(corpora), allow_mixed=allow_mixed)
    return kept


def _shipped_rows() -> list[CorpusRow]:
    from vmaftune.corpus.rows import parse_rows
    from vmaftune.models import find, read

    model = find(_PRESENT)
    return parse_rows(read(model, model.data, model.data_sha256), model.data)


def _trained(rows: list[CorpusRow], ranges: dict[str, tuple[float, float]], seed: int) -> TrainedPredictor:
    from vmaftune.training.predictor import train_predictor

    columns = (TextColumn("  {task.description}"), BarColumn(30), TextColumn("{task.percentage:>3.0f}%"))
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("a network for each source left out", total=1.0, visible=sys.stderr.isatty())
        return train_predictor(
            rows, ranges, seed=seed, on_progress=lambda share: progress.update(task, completed=share)
        )


def _compare(rows: list[CorpusRow], ranges: dict[str, tuple[float, float]], seed: int) -> None:
    """Every design, on the same held-out sources."""
    from vmaftune.training.design import DESIGNS
    from vmaftune.training.evaluate import by_curve, figures, leave_one_source_out
    from vmaftune.training.table import training_table
    from vmaftune.training.uncertainty import fit_uncertainty

    table = training_table(rows, ranges)
    for design in DESIGNS:
        held = leave_one_source_out(table, design, seed=seed)
        deviation = fit_uncertainty(table, held.mean).deviation(held.mean, table.which)
        found = figures(table, held.mean, deviation, by_curve(table))
        shown = "  ".join(f"{f.group} {f.mae_vmaf:.2f} ({f.median_vmaf:.2f})" for f in found)
        click.echo(f"{design.name:28s} mean (median) error in VMAF: {shown}")


def _lines(trained: TrainedPredictor) -> list[str]:
    return [
        f"{g.group:20s} {g.curves:4d} curves  error {g.mae_vmaf:.2f} VMAF (median {g.median_vmaf:.2f}), 90 % interval covers "
        f"{100 * g.coverage_90:.0f} %, first guess near {100 * g.first_guess:.0f} %"
        for g in trained.by_curve
    ]


def _refuse_worse(trained: TrainedPredictor) -> None:
    """Raise UserError where the present model's held-out error, on the same sources, is lower."""
    from vmaftune.models import UnknownModel, find

    try:
        present = find(_PRESENT)
    except UnknownModel:
        return
    known = {(row.source, row.height) for row in _shipped_rows()}
    mine = trained.mae_of(known)
    theirs = present.metrics.get("mae_vmaf")
    if mine is not None and theirs is not None and mine > theirs + _WORSE_VMAF:
        raise UserError(
            f"held out on the sources of {present.version}, the new model errs by {mine:.2f} VMAF and the present one by "
            f"{theirs:.2f}: it is not registered; --force registers it all the same"
        )


def _entry(model_id: str, trained: TrainedPredictor, names: dict[str, str], data: bytes) -> ModelEntry:
    from vmaftune.models.entry import ModelEntry
    from vmaftune.models.session import OPSET

    return ModelEntry(
        id=model_id,
        kind="predictor",
        file=names["model"],
        sha256=hashlib.sha256(trained.content).hexdigest(),
        encoders=tuple(curve.name for curve in trained.table.curves),
        data=names["data"],
        data_sha256=hashlib.sha256(data).hexdigest(),
        licence=_LICENCE,
        opset=OPSET,
        card=names["card"],
        metrics=trained.metrics,
    )

"""``vmaf-tune train``: models made anew from a corpus."""

from __future__ import annotations

import hashlib
import importlib
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vmaftune.cli.console import console
from vmaftune.cli.options import host_options
from vmaftune.errors import UserError, file_error
from vmaftune.extras import install_command
from vmaftune.jobs.session import Session, warn
from vmaftune.state import atomic
from vmaftune.state.folders import models_folder
from vmaftune.state.regular import read_regular

if TYPE_CHECKING:
    from vmaftune.corpus.rows import CorpusRow
    from vmaftune.training.design import Design
    from vmaftune.training.predictor import TrainedPredictor

SHIPPED_CORPUS = "shipped"
_PRESENT = "mlp_v1"
_WORSE_VMAF = 0.02


@click.group("train")
def command() -> None:
    """Make models from a corpus (needs torch: the extra `train`)."""


@command.command("predictor")
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...")
@click.option("--id", "model_id", required=True, help="Name of the model.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of its registry.  [default: your own]")
@click.option("--exclude", multiple=True, metavar="SOURCE", help="Leave sources out whose name begins so (repeatable).")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="The same seed and data give the same bytes on one host.",
)
@click.option("--compare", is_flag=True, help="Also evaluate the other designs, and say how they do.")
@click.option("--allow-mixed", is_flag=True, help="Take rows of several major versions of ffmpeg together.")
@click.option("--force", is_flag=True, help="Register it even if it is worse than the present model.")
@click.option("--steps", type=click.IntRange(1), hidden=True)  # few make a poor model in seconds, for tests
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
    steps: int | None,
    **options: Any,
) -> None:
    """Train the curve predictor on corpus files ("shipped" is the one that comes with vmaf-tune, and the default).

    \b
    vmaf-tune train predictor shipped mine.jsonl --id mine
    then, in the configuration: [plugins.mlp] model = "mine"
    """
    folder = output if output is not None else models_folder()
    check_place(folder, model_id)
    session = Session(options)
    rows = _rows(corpora or (SHIPPED_CORPUS,), exclude, allow_mixed)
    check_installed()
    from vmaftune.corpus.rows import packed
    from vmaftune.training.card import model_card
    from vmaftune.training.design import SHIPPED
    from vmaftune.training.plots import held_out_figure
    from vmaftune.training.register import LICENCE, data_file, register_predictor

    design = SHIPPED if steps is None else replace(SHIPPED, steps=steps)
    ranges = {name: spec.search_range for name, spec in session.manager.encoders.items()}
    if compare:
        _compare(rows, ranges, seed)
    trained = _trained(rows, ranges, design, seed)
    click.echo("\n".join(_lines(trained, rows)))
    if not force:
        _refuse_worse(trained, ranges)
    data = packed(rows)
    card = model_card(model_id, trained, design, data=data_file(model_id), rows=len(rows), seed=seed, licence=LICENCE)
    picture = held_out_figure(trained)
    entry = register_predictor(folder, model_id, trained, data, card)
    figure = folder / f"{model_id}.held-out.png"
    atomic.write(figure, picture)
    click.echo(f"registered {entry.version} in {folder}; its card: {entry.card}, its figures: {figure.name}")


def check_place(folder: Path, model_id: str) -> None:
    """Say before the minutes of training what registering would say after them.

    Raises:
        UserError: the id is none or that of a shipped model, the registry is broken, or the folder cannot be written.
    """
    import vmaftune_models

    from vmaftune.models import find
    from vmaftune.models.entry import REGISTRY_FILE, ModelEntry, decode

    empty = hashlib.sha256(b"").hexdigest()
    try:
        ModelEntry(
            id=model_id,
            kind="predictor",
            file=f"{model_id}.onnx",
            sha256=empty,
            encoders=(),
            data=f"{model_id}.rows.jsonl.gz",
            data_sha256=empty,
            licence="",
        )
    except ValueError as error:
        raise UserError(f"--id: {error}") from error
    try:
        origin = find(model_id).origin
    except UserError:  # nobody has it, or the user's registry, which need not be this one, is broken
        origin = "own"
    if origin == "shipped" and folder.resolve() != Path(str(vmaftune_models.__file__)).parent.resolve():
        raise UserError(f"{model_id} is the name of a model that vmaf-tune ships; give yours another one")
    path = folder / REGISTRY_FILE
    try:
        if path.exists():
            decode(read_regular(path))
        there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except ValueError as error:
        raise UserError(f"{path} is no registry of models: {error}; mend it or move it away") from error
    except OSError as error:
        raise file_error(f"cannot write a model to {folder}", error) from error


def check_installed(modules: Sequence[str] = ("torch", "onnx", "scipy", "matplotlib")) -> None:
    """Raise UserError where a package that training needs is missing."""
    for module in modules:
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:  # OSError where a library of torch's is not whole
            raise UserError(f"training needs {module} ({error}): {install_command('train')}") from error


def _rows(corpora: tuple[str, ...], exclude: tuple[str, ...], allow_mixed: bool) -> list[CorpusRow]:
    from vmaftune.corpus.check import LEAST_CRFS, check_corpus, drop_short_curves
    from vmaftune.corpus.rows import read_rows

    rows: list[CorpusRow] = []
    for corpus in corpora:
        rows += _shipped_rows() if corpus == SHIPPED_CORPUS else read_rows(Path(corpus))
    kept = [row for row in rows if not row.source.startswith(exclude)]
    check_corpus(kept, " and ".join(corpora), allow_mixed=allow_mixed)
    if bare := sum(any(map(math.isnan, row.features)) for row in kept):
        warn(f"{bare} of {len(kept)} rows left out: a feature of theirs, such as the pilot, could not be measured")
    if short := drop_short_curves(kept)[1]:
        warn(f"{short} curve{'s' if short > 1 else ''} with fewer than {LEAST_CRFS} CRFs left out")
    return kept


def _shipped_rows() -> list[CorpusRow]:
    from vmaftune.corpus.rows import model_rows
    from vmaftune.models import find

    return model_rows(find(_PRESENT))


def _trained(
    rows: list[CorpusRow], ranges: dict[str, tuple[float, float]], design: Design, seed: int
) -> TrainedPredictor:
    from vmaftune.training.predictor import train_predictor

    click.echo(f"training on {len(rows)} rows, a network for each source left out", err=True)
    if not sys.stderr.isatty():
        return train_predictor(rows, ranges, seed=seed, design=design)
    columns = (TextColumn("  training"), BarColumn(30), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console(sys.stderr), transient=True
    ) as progress:
        task = progress.add_task("", total=1.0)
        return train_predictor(
            rows, ranges, seed=seed, design=design, on_progress=lambda share: progress.update(task, completed=share)
        )


def _compare(rows: list[CorpusRow], ranges: dict[str, tuple[float, float]], seed: int) -> None:
    """Every design, on the same held-out sources."""
    from vmaftune.training.design import DESIGNS
    from vmaftune.training.evaluate import by_curve, figures, held_out_deviation, leave_one_source_out
    from vmaftune.training.table import training_table

    table = training_table(rows, ranges)
    for design in DESIGNS:
        mean = leave_one_source_out(table, design, seed=seed)
        found = figures(table, mean, held_out_deviation(table, mean), by_curve(table))
        shown = "  ".join(f"{f.group} {f.mae_vmaf:.2f} ({f.median_vmaf:.2f})" for f in found)
        click.echo(f"{design.name:28s} mean (median) error in VMAF: {shown}")


def _lines(trained: TrainedPredictor, rows: list[CorpusRow]) -> list[str]:
    from vmaftune.training.table import LEAST_SOURCES

    lines = [
        f"{g.group:20s} {g.curves:4d} curves  error {g.mae_vmaf:.2f} VMAF (median {g.median_vmaf:.2f}), 90 % interval covers "
        f"{100 * g.coverage_90:.0f} %, first guess near {100 * g.first_guess:.0f} %"
        for g in trained.by_curve
    ]
    names = {curve.name for curve in trained.table.curves}
    if few := sorted({f"{row.encoder} {row.preset or 'none'}" for row in rows} - names):
        lines.append(f"not learned, for want of {LEAST_SOURCES} sources or of the encoder's plugin: {', '.join(few)}")
    return lines


def _refuse_worse(trained: TrainedPredictor, ranges: dict[str, tuple[float, float]]) -> None:
    """Raise UserError where the present model's held-out error, on the same curves, is lower."""
    from vmaftune.models import UnknownModel, find
    from vmaftune.training.table import training_table

    try:
        present = find(_PRESENT)
    except UnknownModel:
        return
    mine = trained.mae_of(training_table(_shipped_rows(), ranges).keys)
    theirs = present.metrics.get("mae_vmaf")
    if mine is None or theirs is None:
        click.echo(f"not compared with {present.version}: that takes a corpus with all curves that it was made from")
    elif mine > theirs + _WORSE_VMAF:
        raise UserError(
            f"held out on the curves of {present.version}, the new model errs by {mine:.2f} VMAF and the present one by "
            f"{theirs:.2f}: it is not registered; --force registers it all the same"
        )

"""``vmaf-tune tiny train``: a small model that gives VMAF from six of libvmaf's features, and how good it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmaftune.cli.options import host_options
from vmaftune.cli.tiny.corpus import corpus_options, read_corpus
from vmaftune.errors import UserError, file_error

if TYPE_CHECKING:
    from vmaftune.tiny.fit import Plan
    from vmaftune.tiny.recipes import Recipe
    from vmaftune.tiny.table import FrameTable

_PATH = click.Path(path_type=Path)
_CORPUS = ("size", "pix_fmt", "targets_source", "tiny_cache", "jobs")
_CHECKPOINT = ".training.npz"
_SMOKE_SOURCES, _SMOKE_FRAMES = 2, 3


@click.command("train")
@click.argument("corpus", type=_PATH, required=False)
@click.option(
    "-o", "--output", type=_PATH, required=True, metavar="DIR", help="Folder of the results; training is resumed there."
)
@click.option(
    "--arch",
    default="mlp_small",
    show_default=True,
    metavar="NAME",
    help="linear, mlp_small, mlp_medium, mlp_2x64, mlp_3x128, mlp_4x256 or attention.",
)
@click.option(
    "--recipe",
    default="v2",
    show_default=True,
    type=click.Choice(["v1", "v2"]),
    help="v1: 30 epochs, constant rate, no scaler; v2: 90 epochs, falling rate, scaler.",
)
@click.option("--epochs", type=click.IntRange(0), help="Passes over the corpus.  [default: the recipe's]")
@click.option("--no-scaler", is_flag=True, help="Take features as they are.")
@click.option("--val-source", metavar="SOURCE", help="Leave one source out, and judge the model by it.")
@click.option("--loso", is_flag=True, help="Judge by networks that are each blind to one source, every source in turn.")
@click.option("--folds", type=click.IntRange(2), help="As --loso, with so many groups of sources.")
@click.option(
    "--early-stop",
    type=click.IntRange(1),
    metavar="EPOCHS",
    help="Stop when sources that are watched, not learned from, get no better for so long.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Groups of folds trained at a time.  [default: all processors]")
@click.option("--id", "model_id", metavar="ID", help="Register the model under this name.")
@click.option("--registry", type=_PATH, metavar="DIR", help="Folder of the registry.  [default: your own]")
@click.option("--assume-dims", metavar="WxH", help="With --epochs 0 and no CORPUS: try everything out on blank video.")
@corpus_options
@host_options
def command(corpus: Path | None, output: Path, **options: Any) -> None:
    """Train a tiny model on CORPUS: a folder with ref/ and dis/, or a file of vmaf-tune tiny features.

    Without --val-source the model is fitted on all sources; what it can do on a video it never saw is then what --loso says.

    \b
    vmaf-tune tiny train corpus -o out --loso --id mine
    vmaf-tune tiny train --epochs 0 --assume-dims 64x36 -o out
    """
    from vmaftune.cli.train import check_installed, check_place
    from vmaftune.jobs.session import Session
    from vmaftune.state.folders import models_folder

    model_id, registry = options["model_id"], options["registry"]
    if registry is not None and model_id is None:
        raise UserError("--registry says where a model is registered: give it a name with --id")
    folder = registry if registry is not None else models_folder()
    if model_id is not None:
        check_place(folder, model_id)
    check_installed()
    plan = _plan(options)
    table = _table(corpus, Session(options), plan, options)
    plan.folds(table)  # what is wrong with it is said before the minutes of training
    click.echo(_trained(table, plan, output, options["threads"], folder if model_id is not None else None))


def _plan(options: dict[str, Any]) -> Plan:
    from vmaftune.tiny.architectures import find_architecture
    from vmaftune.tiny.fit import Plan

    return Plan(
        name=options["model_id"] or options["arch"],
        architecture=find_architecture(options["arch"]),
        recipe=_recipe(options),
        seed=options["seed"],
        val_source=options["val_source"],
        loso=options["loso"] or options["folds"] is not None,
        groups=options["folds"],
        smoke=options["assume_dims"] is not None,
        targets="subjective scores" if options["targets_source"] else "vmaf_v0.6.1 of each frame",
    )


def _recipe(options: dict[str, Any]) -> Recipe:
    import msgspec

    from vmaftune.tiny.recipes import RECIPES

    recipe = msgspec.structs.replace(RECIPES[options["recipe"]], patience=options["early_stop"])
    if options["epochs"] is not None:
        recipe = msgspec.structs.replace(recipe, epochs=options["epochs"])
    return msgspec.structs.replace(recipe, scaler=False) if options["no_scaler"] else recipe


def _table(corpus: Path | None, session: Any, plan: Plan, options: dict[str, Any]) -> FrameTable:
    from vmaftune.state.workspace import workspace

    dims = options["assume_dims"]
    if (corpus is None) != (dims is not None):
        raise UserError("name a CORPUS to train on, or try everything out with --epochs 0 --assume-dims WxH, not both")
    how = {name: options[name] for name in _CORPUS}
    if corpus is not None:
        return read_corpus(corpus, session, **how)
    if plan.recipe.epochs:
        raise UserError(
            "--assume-dims makes up blank video, from which nothing can be learned: it goes with --epochs 0"
        )
    with workspace() as blank:
        _make_blank(blank, dims)
        return read_corpus(blank, session, **{**how, "size": dims, "tiny_cache": blank / "cache"})


def _make_blank(corpus: Path, dims: str) -> None:
    """A corpus in the Netflix layout, of zeros."""
    from vmaftune.media.raw import parse_size

    width, height = parse_size(dims)
    picture = bytes(width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2))
    for number in range(_SMOKE_SOURCES):
        for place in (f"ref/Blank{number}_25fps.yuv", f"dis/Blank{number}_0_{height}_1.yuv"):
            (corpus / place).parent.mkdir(parents=True, exist_ok=True)
            (corpus / place).write_bytes(picture * _SMOKE_FRAMES)


def _trained(table: FrameTable, plan: Plan, output: Path, threads: int | None, register_in: Path | None) -> str:
    """Train, write everything into ``output``, register; what a person is told."""
    from vmaftune.cli.output import say
    from vmaftune.cli.tiny.screen import WorkScreen
    from vmaftune.tiny.fit import fit
    from vmaftune.tiny.publish import publish

    checkpoint, screen = output / _CHECKPOINT, WorkScreen("epochs")

    def on_epoch(epoch: int) -> None:
        if screen.count:
            screen.done(f"epoch {epoch}", 1.0)
        else:
            screen.begun(plan.recipe.epochs - epoch, epoch, plan.recipe.epochs - epoch)

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(f"cannot write to {output}", error) from error
    try:
        with screen:
            made = fit(table, plan, threads=threads or _processors(), checkpoint=checkpoint, on_epoch=on_epoch)
    except (KeyboardInterrupt, SystemExit):
        if checkpoint.exists():
            say(f"{output}: the same command goes on from the last checkpoint")
        raise
    said = publish(output, table, made, register_in)
    checkpoint.unlink(missing_ok=True)
    return said


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""``vmaf-tune models``: the models that there are, whether they are whole, what they were made from, which one is stable."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click
import msgspec

from vmaftune import models
from vmaftune.cli.options import json_option
from vmaftune.cli.output import print_json
from vmaftune.errors import UserError, VmafTuneError
from vmaftune.models import RegisteredModel
from vmaftune.state.folders import models_folder

_PIPE_WIDTH = 1000  # no row is broken where a program may read it
_FIGURES = 2


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A model as ``list --json`` prints it.

    Attributes:
        metrics: held-out figures by name.
        latest_stable: whether ``latest-stable`` means it.
        rejected: why the gate of its trainer did not let it through.
    """

    id: str
    kind: str
    version: str
    origin: str
    encoders: tuple[str, ...]
    metrics: dict[str, float]
    smoke: bool
    licence: str
    latest_stable: bool
    rejected: tuple[str, ...]


@click.group("models")
def command() -> None:
    """The models that predictions come from: those that vmaf-tune ships, and those you trained."""


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Every model with kind, version, origin, the encoders it was made for, and how it did on held-out sources.

    \b
    vmaf-tune models list --json
    """
    found, stable = models.entries(), _stable_id()
    if as_json:
        print_json([_row(model, stable) for model in found])
        return
    from rich.table import Table

    from vmaftune.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "kind", "version", "origin", "encoders", "held out"):
        table.add_column(heading, overflow="fold")
    for model in found:
        held_out = _figures(model.metrics, _FIGURES)
        if model.smoke:
            held_out = "made to try the training out"
        held_out = "; ".join(filter(None, (_standing(model, stable), held_out)))
        table.add_row(model.id, model.kind, model.version, model.origin, ", ".join(model.encoders), held_out)
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console(sys.stdout, width=width).print(table)


@command.command("verify")
@click.argument("ids", nargs=-1, metavar="[ID]...")
def verify(ids: tuple[str, ...]) -> None:
    """Check that models (all, unless named) are the files that were registered, open, and predict.

    \b
    vmaf-tune models verify mlp_v1
    """
    from vmaftune.models.verify import verify as verified

    chosen = [models.find(model_id) for model_id in dict.fromkeys(ids)] or models.entries()
    bad = 0
    for model in chosen:
        try:
            click.echo(f"ok   {model.version}: {verified(model)}")
        except VmafTuneError as error:
            bad += 1
            click.echo(f"BAD  {model.version}: {error}")
    if bad:
        raise VmafTuneError(f"{bad} of {len(chosen)} models cannot be used")


@command.command("show")
@click.argument("model_id", metavar="ID")
def show(model_id: str) -> None:
    """What is known of one model, and its card: purpose, data, figures, limits.

    \b
    vmaf-tune models show mlp_v1
    """
    model = models.find(model_id)
    facts = {
        "version": model.version,
        "kind": model.kind,
        "origin": model.origin if model.origin == "shipped" else f"{model.origin}, in {models_folder()}",
        "encoders": ", ".join(model.encoders),
        "held out": _figures(model.metrics) or "no figures",
        "file": f"{model.file}  sha256 {model.sha256}",
        "data": f"{model.data}  sha256 {model.data_sha256}",
        "opset": "" if model.opset is None else str(model.opset),
        "licence": model.licence,
        "standing": _standing(model, _stable_id()),
        "rejected": "; ".join(model.rejected),
        "note": "made to try the training out, not to be used" if model.smoke else "",
    }
    width = max(map(len, facts))
    for name, text in facts.items():
        if text:
            click.echo(f"{name:<{width}}  {text}")
    if model.card is not None:
        click.echo(f"\n{models.read(model, model.card).decode('utf-8', 'replace').rstrip()}")


@command.command("promote")
@click.argument("model_id", metavar="ID")
@click.option("--force", is_flag=True, help="Also one that the gate of its trainer rejected.")
def promote(model_id: str, force: bool) -> None:
    """Let latest-stable mean this model; runs that use latest-stable take it from now on.

    \b
    vmaf-tune models promote my_model
    """
    model = models.find(model_id)
    if model.kind != "predictor":
        raise UserError(f"model {model.id} is of kind {model.kind}, and {models.LATEST_STABLE} is a predictor")
    if model.rejected and not force:
        raise UserError(f"model {model.id} was rejected: {'; '.join(model.rejected)}; --force promotes it all the same")
    from vmaftune.models.verify import verify as verified

    verified(model)
    before = models.find(models.LATEST_STABLE).id if not models.promoted(models_folder()) else None
    models.promote(models_folder(), model.id, before=before)
    click.echo(f"{models.LATEST_STABLE} is {model.version}")


@command.command("rollback")
def rollback() -> None:
    """Let latest-stable mean what it meant before the last promotion.

    \b
    vmaf-tune models rollback
    """
    left, back = models.rollback(models_folder())
    click.echo(f"{models.LATEST_STABLE} is {models.find(back).version}, no longer {left}")


def _row(model: RegisteredModel, stable: str | None) -> ModelRow:
    own = {name: getattr(model, name) for name in ModelRow.__struct_fields__ if name != "latest_stable"}
    return ModelRow(**own, latest_stable=model.id == stable)


def _standing(model: RegisteredModel, stable: str | None) -> str:
    """What a trainer's gate, or a person, made of it."""
    rejected = "rejected" if model.rejected else ""
    return " ".join(filter(None, (models.LATEST_STABLE if model.id == stable else "", rejected)))


def _stable_id() -> str | None:
    """What ``latest-stable`` means; None where that is not registered any more, which is no reason not to list the rest."""
    try:
        return models.find(models.LATEST_STABLE).id
    except UserError:
        return None


def _figures(metrics: Mapping[str, float], most: int | None = None) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in list(metrics.items())[:most])

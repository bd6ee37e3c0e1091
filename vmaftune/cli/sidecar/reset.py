"""``vmaf-tune sidecar reset``: forget."""

from __future__ import annotations

from typing import Any

import click

from vmaftune.cli.options import host_options
from vmaftune.cli.sidecar.chosen import all_chosen, is_of, named_encoder, named_scale_option, sidecar_session
from vmaftune.cli.sidecar.options import consent, plugin_option, predictor_option, scale_option, yes_option
from vmaftune.cli.sidecar.tables import counted
from vmaftune.errors import UserError


@click.command("reset")
@click.argument("encoder", required=False)
@click.option("--all", "everything", is_flag=True, help="All encoders.")
@click.option("--old", is_flag=True, help="Only what was learned with predictor versions that are not in use.")
@scale_option
@yes_option
@plugin_option
@predictor_option
@host_options
def reset(encoder: str | None, everything: bool, old: bool, scale: str | None, yes: bool, **options: Any) -> int:
    """Forget what was learned of ENCODER, of all of them (--all), or with predictors that are not in use (--old).

    \b
    vmaf-tune sidecar reset libx265
    """
    if encoder is not None and everything:
        raise UserError("name an ENCODER or say --all, not both")
    if encoder is None and not everything and not old:
        raise UserError("nothing was forgotten: name an ENCODER, or say --all or --old; see vmaf-tune sidecar status")
    session = sidecar_session(options)
    of = named_scale_option(session, scale)
    states = [
        (chosen, state)
        for chosen in all_chosen(session, options["plugins"])
        for state in chosen.inspection.states()
        if encoder in (None, state.encoder) and is_of(state, of) and not (old and chosen.in_use(state, session))
    ]
    if not states:
        if encoder is not None:
            named_encoder(session, encoder)  # a slip of the pen is an error, an encoder without state is none
        click.echo("there is nothing to forget")
        return 0
    lines = [
        f"{chosen.name} {state.encoder} with {state.predictor_version}: {counted(state.captures, 'capture')} of "
        f"{counted(state.sources, 'source')}"
        for chosen, state in states
    ]
    if not yes:
        click.echo("\n".join(lines), err=True)
    if not consent("Forget this?", yes, "nothing was forgotten"):
        return 1
    for (chosen, state), line in zip(states, lines, strict=True):
        chosen.inspection.reset(state.predictor_version, state.encoder)
        click.echo(f"forgot {line}")
    return 0

"""``vmaf-tune sidecar plot``: what predictions missed by, before and after correction, capture by capture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import host_options
from vmaftune.cli.plot import check_figure
from vmaftune.cli.sidecar.chosen import named_encoder, one_chosen, sidecar_session, used_states
from vmaftune.cli.sidecar.figure import draw_residuals
from vmaftune.cli.sidecar.options import one_plugin_option, predictor_option
from vmaftune.contract.inspection import LearnedCapture
from vmaftune.errors import UserError


@click.command("plot")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.png|svg")
@click.argument("encoder", required=False)
@one_plugin_option
@predictor_option
@host_options
def plot(file: Path, encoder: str | None, **options: Any) -> None:
    """Draw the residuals of the captures that are held, before and after correction (needs matplotlib).

    Without ENCODER, a panel for each of those that were learned with the predictor in use.

    \b
    vmaf-tune sidecar plot residuals.png libx265
    """
    check_figure(file, "plot")
    session = sidecar_session(options)
    chosen = one_chosen(session, options["plugins"])
    learned = {state.encoder for state in chosen.inspection.states() if encoder in (None, state.encoder)}
    if encoder is not None:
        named_encoder(session, encoder)
    panels: dict[str, list[LearnedCapture]] = {}
    for name in sorted(learned):
        held = [
            capture
            for state in used_states(session, chosen, name)
            for capture in chosen.inspection.captures(state.predictor_version, name)
        ]
        if held:
            panels[name] = sorted(held, key=lambda capture: capture.unix_seconds)
    if not panels:
        of_what = f" of {encoder}" if encoder else ""
        raise UserError(f"there is nothing to draw: no capture{of_what} is held for the predictor in use")
    draw_residuals(panels, f"{chosen.name}: what predictions missed by, before and after correction", file)
    click.echo(f"{file}: {', '.join(f'{name}, {len(held)} captures' for name, held in panels.items())}")

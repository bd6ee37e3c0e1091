"""``vmaf-tune sidecar plot``: what predictions missed by, before and after correction, capture by capture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vmaftune.cli.options import host_options
from vmaftune.cli.plot import check_figure
from vmaftune.cli.sidecar.chosen import (
    named_encoder,
    named_scale_option,
    one_chosen,
    sidecar_session,
    unit_of,
    used_states,
)
from vmaftune.cli.sidecar.figure import draw_residuals
from vmaftune.cli.sidecar.options import one_plugin_option, predictor_option, scale_option
from vmaftune.cli.sidecar.tables import of_scale
from vmaftune.contract.inspection import LearnedCapture
from vmaftune.errors import UserError
from vmaftune.host import versions


@click.command("plot")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.png|svg")
@click.argument("encoder", required=False)
@scale_option
@one_plugin_option
@predictor_option
@host_options
def plot(file: Path, encoder: str | None, scale: str | None, **options: Any) -> None:
    """Draw the residuals of the captures that are held, before and after correction (needs matplotlib).

    A panel for each scale; without ENCODER, for each encoder that was learned with the predictor in use.

    \b
    vmaf-tune sidecar plot residuals.png libx265
    """
    check_figure(file, "plot")
    session = sidecar_session(options)
    chosen = one_chosen(session, options["plugins"])
    learned = {state.encoder for state in chosen.inspection.states() if encoder in (None, state.encoder)}
    if encoder is not None:
        named_encoder(session, encoder)
    of = named_scale_option(session, scale)
    panels: dict[tuple[str, str], list[LearnedCapture]] = {}
    for name in sorted(learned):
        for state in used_states(session, chosen, name, of):
            version = state.predictor_version
            what = f"{name}{of_scale(versions.scale_in(version))}"
            panels.setdefault((what, unit_of(session, version)), []).extend(chosen.inspection.captures(version, name))
    panels = {what: sorted(held, key=lambda capture: capture.unix_seconds) for what, held in panels.items() if held}
    if not panels:
        of_what = f" of {encoder}" if encoder else ""
        raise UserError(f"there is nothing to draw: no capture{of_what} is held for the predictor in use")
    draw_residuals(panels, f"{chosen.name}: what predictions missed by, before and after correction", file)
    click.echo(f"{file}: {', '.join(f'{what}, {len(held)} captures' for (what, _), held in panels.items())}")

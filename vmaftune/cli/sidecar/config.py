"""``vmaf-tune sidecar config``: the settings in force, and where each came from."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from vmaftune.cli.options import host_options, json_option
from vmaftune.cli.output import print_json
from vmaftune.cli.sidecar.chosen import all_chosen, named_encoder, sidecar_session
from vmaftune.cli.sidecar.options import plugin_option
from vmaftune.cli.sidecar.tables import print_table
from vmaftune.config.inforce import Value, in_force
from vmaftune.encoders.spec import check_preset
from vmaftune.errors import UserError


class ConfigReport(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one correction; ``config --json`` prints a list of these."""

    plugin: str
    encoder: str | None
    preset: str | None
    values: list[Value]


@click.command("config")
@click.argument("encoder", required=False)
@click.option("--preset", metavar="NAME", help="The encoder's preset.  [default: the encoder's own]")
@plugin_option
@host_options
@json_option
def config(encoder: str | None, preset: str | None, **options: Any) -> None:
    """The settings in force, for ENCODER if it is named, and the file and key that each came from.

    \b
    vmaf-tune sidecar config libx265 --preset slow
    """
    if encoder is None and preset is not None:
        raise UserError("--preset needs the ENCODER that it is of")
    session = sidecar_session(options)
    if encoder is not None:
        spec = named_encoder(session, encoder)
        check_preset(spec, preset)
        preset = preset or spec.default_preset
    reports = [
        ConfigReport(
            plugin=chosen.name,
            encoder=encoder,
            preset=preset,
            values=in_force(session.config, chosen.name, chosen.run.settings(chosen.name), encoder, preset),
        )
        for chosen in all_chosen(session, options["plugins"])
    ]
    if options["as_json"]:
        print_json(reports)
        return
    for report in reports:
        what = f" for {encoder} preset {preset or 'none'}" if encoder else ""
        click.echo(f"{report.plugin}{what}")
        print_table(("key", "value", "from"), [_row(value) for value in report.values])


def _row(value: Value) -> tuple[str, str, str]:
    came_from = "default" if value.file is None else f"{value.file}: {value.place}"
    return value.key, "-" if value.value is None else json.dumps(value.value, ensure_ascii=False), came_from

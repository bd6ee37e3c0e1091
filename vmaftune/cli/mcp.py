"""``vmaf-tune mcp``: scores and searches as tools for assistants."""

from __future__ import annotations

from pathlib import Path

import click

from vmaftune.cli.options import PROGRAM
from vmaftune.errors import UserError
from vmaftune.extras import install_command


@click.command("mcp")
@click.option(
    "--root",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    metavar="DIR",
    help="Folder whose files may be read, with all below it (repeatable).",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Jobs that run at once; more wait.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration file, over the user's and the project's."
)
@click.option("--ffmpeg", type=PROGRAM, help="ffmpeg to use instead of the embedded one.")
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Folder of cache and learned state.")
def command(roots: tuple[Path, ...], jobs: int, **host: Path | None) -> None:
    """Serve scores and searches to an assistant over standard input and output (Model Context Protocol).

    Nothing outside the --root folders is read, nothing is written but cache and learned state. docs/mcp.md has the tools.

    \b
    vmaf-tune mcp --root ~/Videos --root /srv/films --jobs 2
    """
    try:
        from vmaftune.mcp_server.server import serve
    except ModuleNotFoundError as error:
        raise UserError(f"the MCP server needs one package more: {install_command('mcp')}") from error
    serve(roots, jobs, host)

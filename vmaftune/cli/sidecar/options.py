"""Options and questions that the ``vmaf-tune sidecar`` commands share."""

from __future__ import annotations

import sys

import click

from vmaftune.errors import UserError

plugin_option = click.option(
    "--plugin", "plugins", multiple=True, metavar="NAME", help="Only this correction (repeatable)."
)
one_plugin_option = click.option(
    "--plugin", "plugins", multiple=True, metavar="NAME", help="The correction, where several are installed."
)
predictor_option = click.option(
    "--predictor", metavar="NAME", help="Predictor in use, instead of the best for the encoder."
)
scale_option = click.option(
    "--scale", metavar="NAME", help="Only what was learned from scores of this scale, as status names it."
)
yes_option = click.option("--yes", is_flag=True, help="Yes to the question; needed where nobody can be asked.")


def consent(question: str, yes: bool, undone: str) -> bool:
    """Whether the user says yes: by ``--yes``, or on the terminal.

    Args:
        undone: what did not happen, such as ``nothing was written``.

    Raises:
        UserError: there is no terminal to ask on.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{undone}: there is no terminal to ask on; say --yes")
    if click.confirm(question, err=True):
        return True
    click.echo(undone)
    return False

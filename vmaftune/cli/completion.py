"""``vmaf-tune completion``: what makes a shell complete commands, options, encoders, presets and plugins."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "vmaf-tune"
VARIABLE = "_VMAF_TUNE_COMPLETE"
"""Click's name for it: the shell sets it when it calls the program to complete a line."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete vmaf-tune's commands, options and names.

    \b
    eval "$(vmaf-tune completion bash)"                                   # in ~/.bashrc; zsh: ~/.zshrc
    vmaf-tune completion fish > ~/.config/fish/completions/vmaf-tune.fish
    """
    from vmaftune.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, PROGRAM, VARIABLE).source())

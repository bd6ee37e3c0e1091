"""Every command's help fits a screen and has an example that the command would take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from vmaftune.cli.main import cli

MOST_LINES = 60
COLUMNS = 100


def _commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, *names, name)


COMMANDS = {" ".join(names): command for names, command in _commands(cli)}


def _help(name: str) -> str:
    context = click.Context(
        COMMANDS[name], info_name=f"vmaf-tune {name}", max_content_width=COLUMNS, terminal_width=COLUMNS
    )
    return COMMANDS[name].get_help(context)


def _examples(name: str) -> list[str]:
    """What stands in the text above the options and begins as the command does."""
    text = re.split(r"^(?:Options|Commands):$", _help(name), flags=re.MULTILINE)[0]
    return [line.strip() for line in text.splitlines()[1:] if re.match(r"\s+(eval .*)?vmaf-tune ", line)]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_screen(name: str) -> None:
    assert len(_help(name).splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", [n for n, command in COMMANDS.items() if not isinstance(command, click.Group)])
def test_help_has_an_example(name: str) -> None:
    assert any(re.match(rf"vmaf-tune {name}\b", line) for line in _examples(name)) or name == "completion"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_one_that_the_command_takes(name: str) -> None:
    for line in _examples(name):
        arguments = shlex.split(line, comments=True)
        arguments = arguments[arguments.index("vmaf-tune") + 1 :] if "vmaf-tune" in arguments else []
        command: click.Command = cli
        if arguments[:1] == ["--crf-search"]:
            arguments[0] = "crf-search"
        arguments = arguments[: next((i for i, word in enumerate(arguments) if word in "<>|&"), None)]
        while isinstance(command, click.Group) and arguments:
            found = command.get_command(click.Context(command), arguments.pop(0))
            assert found is not None, line
            command = found
        if arguments:
            command.make_context(command.name, arguments)

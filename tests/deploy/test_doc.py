"""docs/trainer-deployment.md: its values are taken, its metrics and commands exist."""

from __future__ import annotations

import re
import shlex
import types
import typing

import msgspec
import pytest
import yaml

from tests.deploy.chart import ROOT, render
from tests.deploy.commands import parsed

TEXT = (ROOT / "docs" / "trainer-deployment.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LINES = [line.partition("  #")[0] for language, block in BLOCKS if not language for line in block.splitlines()]


def _value(kind: object) -> object:
    """Some value of a type."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return typing.cast(type, kinds[0])()


def test_the_values_are_taken() -> None:
    (block,) = [block for language, block in BLOCKS if language == "yaml"]
    worker = render(yaml.safe_load(block)).containers["worker"]
    options = parsed([*worker["args"][3:], "-i", "film.mkv"])
    assert (options["encoder"], options["min_vmaf"]) == ("libx265", 94)


def test_the_metrics_are_those_of_the_service() -> None:
    from vmaftune.trainer.metrics import metrics_text
    from vmaftune.trainer.status import Status

    kinds = typing.get_type_hints(Status)
    status = msgspec.convert({name: _value(kind) for name, kind in kinds.items()}, Status)
    named = {*re.findall(r"`(vmaftune_trainer_\w+)`", TEXT)}
    assert named and named <= {line.split()[0] for line in metrics_text(status).splitlines()}


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("vmaf-tune ")])
def test_commands_exist(line: str) -> None:
    parsed(shlex.split(line))


def test_files_that_it_names_are_there() -> None:
    named = {*re.findall(r"\bdeploy/[\w./-]+", TEXT)} - {"deploy/farm-vmaf-tune"}
    assert named and all((ROOT / name).exists() for name in named)
    assert render().kind("Deployment")[0]["metadata"]["name"] == "farm-vmaf-tune"

"""docs/plugins.md: every Python block is installed and used by a real search, and every other block is what it says it is."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from tests.host.conftest import Install, search_with
from vmaftune.cli.main import cli
from vmaftune.config.load import load_config
from vmaftune.contract.hooks import VmafTuneSpec
from vmaftune.crf_search.engine import Outcome
from vmaftune.encoders.spec import settings_for
from vmaftune.host.manager import PluginManager, Registration
from vmaftune.host.run import PluginChoice, PluginRun
from vmaftune.testing import checks_for

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "plugins.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# ([\w.-]+)\n")
HOOKS = [name for name in vars(VmafTuneSpec) if name.startswith("vmaftune_")]
PREFIX = "vmaftune_"


def _files(language: str) -> Iterator[tuple[str, str]]:
    """File names and contents of the blocks in a language; the name stands in a comment on the first line."""
    for block_language, content in BLOCKS:
        if block_language == language:
            named = NAMED.match(content)
            assert named is not None, f"a {language} block does not begin with the name of its file: {content[:60]!r}"
            yield named[1], content


PYTHON = dict(_files("python"))
PLUGINS = {
    file.removeprefix(PREFIX).removesuffix(".py").replace("_", "-"): content
    for file, content in PYTHON.items()
    if file.startswith(PREFIX)
}
TESTS = {file: content for file, content in PYTHON.items() if file.startswith("test_")}


def _hooks_of(source: str) -> set[str]:
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return {f.name for f in functions if any(ast.unparse(mark) == "hookimpl" for mark in f.decorator_list)}


def _registered(name: str) -> list[Registration]:
    found = [r for r in PluginManager().registrations if r.plugin == name]
    assert found and [r.problem for r in found if r.problem] == []
    return found


def _search(name: str, cache: Path) -> Outcome:
    """A search that uses all that the plugin registers; nothing in it may fail or warn."""
    of_kind = {r.kind: r.name for r in _registered(name)}
    on = tuple(of_kind[kind] for kind in ("correction", "trainer") if kind in of_kind)
    choice = PluginChoice(predictor=of_kind.get("predictor"), on=on, strict=True)
    outcome = search_with(choice, cache, pytest.fail)
    assert outcome.stop.met
    return outcome


def test_every_python_block_is_run_here_and_stands_there_once() -> None:
    assert len(PYTHON) == sum(language == "python" for language, _ in BLOCKS)
    assert {*PLUGINS} == {"rule-of-thumb", "local-mean", "collector", "rav1e", "ssim", "diary"}
    assert {*TESTS} == {"test_rule_of_thumb.py"}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_an_example_and_a_line_in_the_table(hook: str) -> None:
    assert any(hook in _hooks_of(source) for source in PLUGINS.values())
    assert any(f"`{hook}`" in line for line in TEXT.splitlines() if line.startswith("| `"))


@pytest.mark.parametrize("name", PLUGINS)
def test_a_search_goes_on_with_every_plugin(install: Install, tmp_path: Path, name: str) -> None:
    install(name, PLUGINS[name])
    _search(name, tmp_path)


def test_the_predictor_predicts(install: Install, tmp_path: Path) -> None:
    install("rule-of-thumb", PLUGINS["rule-of-thumb"])
    curve = _search("rule-of-thumb", tmp_path).curve
    assert curve.predictor == "rule-of-thumb@rule-of-thumb-1"
    np.testing.assert_allclose(curve.bare.mean[[0, -1]], [97, 55])
    np.testing.assert_allclose(np.sqrt(curve.bare.covariance.diagonal()), 8)


def test_the_correction_shifts_nothing_at_first_and_then_by_what_it_learned(install: Install, tmp_path: Path) -> None:
    install("local-mean", PLUGINS["local-mean"])
    first, second = _search("local-mean", tmp_path), _search("local-mean", tmp_path)
    assert not first.curve.adjustments["local-mean"].shift.any()
    learned = second.curve.adjustments["local-mean"]
    places = [int(np.argmin(np.abs(first.curve.context.crfs - probe.crf))) for probe in first.probes]
    residuals = [probe.vmaf - first.curve.bare.mean[place] for probe, place in zip(first.probes, places, strict=True)]
    assert learned.captures == len(first.probes)
    np.testing.assert_allclose(learned.shift, sum(residuals) / (len(residuals) + 4))


def test_corrections_are_chained_as_it_says(install: Install, tmp_path: Path) -> None:
    install("local-mean", PLUGINS["local-mean"])
    search_with(PluginChoice(on=("ridge-sidecar", "local-mean"), strict=True), tmp_path)
    second = search_with(PluginChoice(on=("ridge-sidecar", "local-mean"), strict=True), tmp_path).curve
    assert second.given["ridge-sidecar"] is second.bare
    shift = second.adjustments["ridge-sidecar"].shift
    np.testing.assert_allclose(second.given["local-mean"].mean, second.bare.mean + shift)
    assert [path.name.split("+")[1:] for path in (tmp_path / "local-mean").iterdir()] == [["ridge-sidecar"]]


def test_the_trainer_keeps_what_its_setting_says(install: Install, tmp_path: Path) -> None:
    install("collector", PLUGINS["collector"])
    outcome = _search("collector", tmp_path)
    kept = tmp_path / "collector" / "captures.jsonl"
    assert len(kept.read_bytes().splitlines()) == len(outcome.probes)


def test_the_encoder_joins_the_table(install: Install) -> None:
    install("rav1e", PLUGINS["rav1e"])
    spec = PluginManager().encoders["librav1e"]
    source: dict[str, Any] = {"source_pix_fmt": "yuv420p", "source_size": (320, 180)}
    settings = settings_for(spec, preset=None, pix_fmt=None, video_filter=None, extra=(), **source)
    arguments = " ".join(settings.output_arguments(80))
    assert "-c:v librav1e" in arguments and "-speed 6" in arguments and "-qp 80" in arguments


def test_the_metric_keeps_its_contract(install: Install) -> None:
    install("ssim", PLUGINS["ssim"])
    assert PluginManager().metric("ssim").title == "SSIM"
    for check in checks_for("ssim"):
        check()


def test_the_diary_is_told_of_each_probe_in_the_order_that_it_says(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("diary", PLUGINS["diary"])
    outcome = _search("diary", tmp_path)
    told = [line.split()[1] for line in capsys.readouterr().err.splitlines() if line.startswith("diary: ")]
    assert told == ["probe", "scoring", "CRF", "1000"] * len(outcome.probes)


@pytest.mark.parametrize("name", ["rule-of-thumb", "local-mean", "collector", "rav1e"])
def test_every_plugin_keeps_its_contract(install: Install, name: str) -> None:
    install(name, PLUGINS[name])
    done = _python(["-m", "vmaftune", "plugins", "check", name])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_test_of_the_first_plugin_passes(install: Install, tmp_path: Path) -> None:
    install("rule-of-thumb", PLUGINS["rule-of-thumb"])
    for file, content in TESTS.items():
        (tmp_path / file).write_text(content)
    done = _python(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)])
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr


def test_the_package_names_the_plugin_of_the_first_block() -> None:
    project = tomllib.loads(dict(_files("toml"))["pyproject.toml"])
    for name, module in project["project"]["entry-points"]["vmaftune"].items():
        assert f"{module}.py" in PYTHON and name in PLUGINS
        assert module in project["tool"]["setuptools"]["py-modules"]


def test_the_configuration_is_one_that_the_plugin_takes(install: Install, tmp_path: Path) -> None:
    install("collector", PLUGINS["collector"])
    (tmp_path / "vmaf-tune.toml").write_text(dict(_files("toml"))["vmaf-tune.toml"])
    config = load_config(tmp_path / "vmaf-tune.toml")
    on = tuple(name for name, enabled in config.enabled.items() if enabled)
    choice = PluginChoice(on=on, settings=config.plugins, strict=True)
    assert [r.name for r in PluginRun(PluginManager(), choice, tmp_path, print).active] == ["collector"]
    outcome = search_with(choice, tmp_path)
    missed = [
        abs(p.vmaf - np.interp(p.crf, outcome.curve.context.crfs, outcome.curve.bare.mean)) for p in outcome.probes
    ]
    kept = (tmp_path / "collector" / "captures.jsonl").read_bytes().splitlines()
    assert len(kept) == sum(residual >= 2.0 for residual in missed)


def _commands() -> list[str]:
    lines = [line for language, content in BLOCKS if language == "console" for line in content.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines if line.startswith("$ vmaf-tune ")]


@pytest.mark.parametrize("line", _commands())
def test_every_command_is_one_that_there_is(line: str) -> None:
    command: click.Command | None = cli
    arguments = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), arguments.pop(0))
    assert command is not None
    command.make_context(command.name, arguments)


def _python(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, where what was installed here is installed too."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)

"""Every command of the chart and of its probes exists, with every option, and does what the chart means by it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from tests.deploy.chart import CHART, at, defaults, render
from tests.deploy.commands import parsed, registered
from vmaftune.config.load import load_config
from vmaftune.host.manager import PluginManager

ON = at("sidecar.trainer.enabled", True)
SOCKET = Path("/run/vmaf-tune/trainer.sock")


def _search(on: bool) -> list[str]:
    worker = render(ON if on else {}).containers["worker"]
    input_folder, results, seconds, *command = worker["args"]
    assert (input_folder, results) == ("/input", "/results") and float(seconds) > 0
    return [*command, "-i", "/input/film.mkv", "--json"]


def test_what_does_not_exist_is_seen() -> None:
    with pytest.raises(click.UsageError, match="--no-such"):
        parsed(["vmaf-tune", "--crf-search", "-i", "film.mkv", "--no-such"])
    with pytest.raises(click.UsageError, match="serf"):
        parsed(["vmaf-tune", "serf"])


def test_the_loop_searches_with_the_sidecar() -> None:
    options = parsed(_search(on=False))
    assert options["input_"] == Path("/input/film.mkv") and options["as_json"]
    assert options["plugins"] == ("ridge-sidecar",)
    assert {*options["plugins"]} <= registered()


def test_with_the_trainer_on_every_score_goes_to_it() -> None:
    options = parsed(_search(on=True))
    assert options["plugins"] == ("ridge-sidecar", "sgd-ema-trainer")
    assert {*options["plugins"]} <= registered()


def test_the_trainer_serves_where_the_workers_look() -> None:
    trainer = render(ON).containers["trainer"]
    options = parsed([*trainer["command"], *trainer["args"]])
    assert (Path(options["socket"]), Path(options["folder"])) == (SOCKET, Path("/var/lib/vmaf-tune/trainer"))
    assert options["metrics_port"] == 9464


def test_no_metrics_port_and_further_options() -> None:
    trainer = {"enabled": True, "metrics": {"port": 0}, "options": ["--metrics-file", "/tmp/metrics.prom"]}
    container = render({"sidecar": {"trainer": trainer}}).containers["trainer"]
    options = parsed([*container["command"], *container["args"]])
    assert not options["metrics_port"] and options["metrics_file"] == Path("/tmp/metrics.prom")


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_ask_for_the_status(probe: str) -> None:
    assert parsed(render(ON).containers["trainer"][probe]["exec"]["command"])["as_json"]


def test_commands_of_the_notes() -> None:
    notes = render(ON).notes
    commands = [f"vmaf-tune {part}".split() for part in notes.split("-- vmaf-tune ")[1:]]
    assert commands
    for command in commands:
        parsed(command[:3])


def test_example_of_a_command_of_ones_own() -> None:
    (line,) = [line for line in (CHART / "values.yaml").read_text("utf-8").splitlines() if '["vmaf-tune"' in line]
    own = [word.strip(' "') for word in line.partition("[")[2].partition("]")[0].split(",")]
    worker = render(at("worker.command", own)).containers["worker"]
    assert worker["command"] == own and "args" not in worker
    assert parsed(own)["input_"] == Path("/input/film.mkv")


def test_the_configuration_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = render()
    (configmap,) = rendered.kind("ConfigMap")
    env = {entry["name"]: entry["value"] for entry in rendered.containers["worker"]["env"]}
    (mount,) = [m["mountPath"] for m in rendered.containers["worker"]["volumeMounts"] if m["name"] == "config"]
    assert mount == f"{env['XDG_CONFIG_HOME']}/vmaf-tune"
    folder = tmp_path / "vmaf-tune"
    folder.mkdir()
    (folder / "vmaf-tune.toml").write_text(configmap["data"]["vmaf-tune.toml"], "utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = load_config(None)
    assert (config.search.encoder, config.search.min_vmaf) == ("libsvtav1", 95)
    assert config.plugins["mlp"] == {"model": "latest-stable"}
    assert {*config.plugins} <= {r.name for r in PluginManager().registrations}
    assert defaults()["config"] == configmap["data"]["vmaf-tune.toml"]

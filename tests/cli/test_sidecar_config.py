"""``sidecar config``: what is in force, and the file and key it came from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.cli.conftest import Program
from tests.conftest import ROOT
from vmaftune.config.load import tomllib

USER = """
[plugins.ridge-sidecar]
enabled = true
lambda = 2
max-correction = 9
[plugins.ridge-sidecar.encoders.libx264]
lambda = 3
history-rows = 300
"""
NAMED = """
[plugins.ridge-sidecar]
max-correction = 8
[plugins.ridge-sidecar.encoders.libx264.presets.medium]
lambda = 4
[plugins.ridge-sidecar.encoders.libsvtav1]
enabled = false
"""
TABLE = "plugins.ridge-sidecar"


def _values(program: Program, *arguments: str) -> dict[str, Any]:
    (report,) = program("sidecar", "config", *arguments, "--json").json
    return {value["key"]: (value["value"], value["file"], value["place"]) for value in report["values"]}


def _files(program: Program) -> tuple[str, tuple[str, ...]]:
    user = program.home / "config" / "vmaf-tune" / "vmaf-tune.toml"
    user.parent.mkdir(parents=True)
    user.write_text(USER)
    (program.home / "named.toml").write_text(NAMED)
    return str(user), ("--config", "named.toml")


def test_each_value_names_its_file_and_key(program: Program) -> None:
    user, named = _files(program)
    medium = _values(program, "libx264", *named)
    assert medium["lambda"] == (4.0, "named.toml", f"{TABLE}.encoders.libx264.presets.medium.lambda")
    assert medium["history-rows"] == (300, user, f"{TABLE}.encoders.libx264.history-rows")
    assert medium["max-correction"] == (8.0, "named.toml", f"{TABLE}.max-correction")
    assert medium["half-life"] == (0.0, None, None) and medium["enabled"] == (True, user, f"{TABLE}.enabled")
    fast = _values(program, "libx264", "--preset", "fast", *named)
    assert fast["lambda"] == (3.0, user, f"{TABLE}.encoders.libx264.lambda")
    av1 = _values(program, "libsvtav1", *named)
    assert av1["enabled"] == (False, "named.toml", f"{TABLE}.encoders.libsvtav1.enabled")
    assert av1["lambda"] == (2.0, user, f"{TABLE}.lambda")


def test_without_an_encoder_all_that_is_set_is_there(program: Program) -> None:
    _, named = _files(program)
    ended = program("sidecar", "config", *named)
    rows = {line.split()[0]: line for line in ended.out.splitlines() if line.strip()}
    assert "encoders.libx264.presets.medium.lambda" in rows and "encoders.libx264.history-rows" in rows
    assert rows["drift-window"].split()[1:] == ["50", "default"]


def test_without_files_all_is_default(program: Program) -> None:
    values = _values(program, "libx264")
    assert values["enabled"] == (False, None, None) and values["lambda"] == (1.0, None, None)
    assert not any(file for _, file, _ in values.values())


def test_a_preset_needs_its_encoder(program: Program, tmp_path: Path) -> None:
    assert "--preset needs the ENCODER" in program("sidecar", "config", "--preset", "fast").complaint()


def test_the_documents_have_these_defaults(program: Program) -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^ |]+) \|", (ROOT / "docs" / "sidecar.md").read_text(), re.MULTILINE)
    documented = {key: json.loads(value) for key, value in rows}
    assert documented == {key: value for key, (value, _, _) in _values(program).items()}
    written = tomllib.loads(
        next(t for t in re.findall(r"```toml\n(.*?)```", (ROOT / "docs/configuration.md").read_text(), re.DOTALL))
    )
    table = {key: value for key, value in written["plugins"]["ridge-sidecar"].items() if key != "encoders"}
    assert table == {**documented, "enabled": True}

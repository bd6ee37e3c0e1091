"""``plugins list`` shows every plugin, whether it is on, and how to switch it on."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Program


def test_ours_are_listed_in_whole_lines(program: Program) -> None:
    ended = program("plugins", "list")
    assert ended.code == 0 and ended.err == ""
    rows = {line.split()[0]: line for line in ended.out.splitlines()}
    assert "predictor" in rows["population"] and " yes" in rows["population"]
    assert "switch it on with --plugin ridge-sidecar" in rows["ridge-sidecar"]


def test_the_list_as_json(program: Program) -> None:
    rows = {row["name"]: row for row in program("plugins", "list", "--json").json}
    assert rows["ridge-sidecar"]["kind"] == "correction" and rows["ridge-sidecar"]["enabled"] is False
    assert rows["population"]["enabled"] is True and rows["population"]["distribution"] == "vmaf-tune"


def test_the_configuration_counts(program: Program, tmp_path: Path) -> None:
    on = "[plugins.ridge-sidecar]\nenabled = true\n[plugins.population]\nenabled = false\n"
    (tmp_path / "vmaf-tune.toml").write_text(on)
    rows = {row["name"]: row for row in program("plugins", "list", "--json", cwd=tmp_path).json}
    assert rows["ridge-sidecar"]["enabled"] is True
    assert rows["population"]["why_not"] == "switched off in the configuration"

"""Files are laid over one another key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmaftune.config.load import LoadedConfig, load_config
from vmaftune.errors import UserError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _load(here: Path, project: str, named: str) -> LoadedConfig:
    (here / "vmaf-tune.toml").write_text(project)
    (here / "named.toml").write_text(named)
    return load_config(here / "named.toml")


def test_nothing_there_is_the_default(here: Path) -> None:
    config = load_config(None)
    assert config.files == () and config.plugins == {} and config.search.min_vmaf is None


def test_tables_of_plugins_are_merged_within(here: Path) -> None:
    below = "[plugins.x]\nenabled = true\na = 1\nb = 1\n[plugins.x.encoders.e]\nc = 1\nd = 1\n"
    above = "[plugins.x]\nb = 2\n[plugins.x.encoders.e]\nd = 2\n[plugins.x.encoders.f]\nd = 3\n"
    config = _load(here, below, above)
    assert config.plugins["x"] == {"a": 1, "b": 2, "encoders": {"e": {"c": 1, "d": 2}, "f": {"d": 3}}}
    assert config.enabled == {"x": True}
    assert config.origins["x"] == f"vmaf-tune.toml, {here / 'named.toml'}"


def test_a_stronger_file_can_say_no(here: Path) -> None:
    config = _load(
        here,
        "[search]\ncache = true\n[plugins.x]\nenabled = true\n",
        "[search]\ncache = false\n[plugins.x]\nenabled = false",
    )
    assert config.search.cache is False and config.enabled == {"x": False}


def test_a_named_file_that_is_missing_is_refused(here: Path) -> None:
    with pytest.raises(UserError, match=r"--config nosuch\.toml: no such file"):
        load_config(Path("nosuch.toml"))


def test_a_file_that_cannot_be_read_is_refused(here: Path) -> None:
    (here / "loop.toml").symlink_to(here / "loop.toml")
    with pytest.raises(UserError, match=r"loop\.toml"):
        load_config(here / "loop.toml")

"""What a hint says to type works from an index, a wheel and a checkout."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from vmaftune.extras import install_command

EXTRAS = ("compare", "distributed", "gbdt", "mcp", "plot", "share", "train")


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_packages_of_an_extra_are_named_themselves(extra: str) -> None:
    command = install_command(extra)
    assert "install" in command and "vmaf-tune" not in command.replace(sys.executable, "")
    marked = [line for line in metadata.requires("vmaf-tune") or [] if f'extra == "{extra}"' in line]
    assert marked and all(line.partition(";")[0].strip() in command for line in marked)


def test_packages_of_other_extras_are_not() -> None:
    assert "torch" not in install_command("plot") and "torch" in install_command("train")


def test_a_tree_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", none)
    assert install_command("plot").endswith("install 'vmaf-tune[plot]'")


def test_pip_is_named_by_its_interpreter_where_the_name_is_another_environments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pip").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_command("plot").startswith(f"{sys.executable} -m pip install ")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert install_command("plot").startswith("pip install ")


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_hint_in_the_code_names_an_extra_that_there_is(extra: str) -> None:
    root = Path(__file__).parents[2]
    sources = [file.read_text() for folder in ("vmaftune", "plugins") for file in (root / folder).rglob("*.py")]
    assert any(f"install_command('{extra}')" in text for text in sources)
    assert not any(f"vmaf-tune[{extra}]'" in text for text in sources)

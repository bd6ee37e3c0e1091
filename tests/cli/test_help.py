"""Help is there for every command, fits the screen, and costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.conftest import Program

COMMANDS = [
    *("", "crf-search", "score", "predict", "plugins", "plugins list", "cache", "cache info", "cache clear"),
    *("models", "models list", "models verify", "models show"),
    *("sidecar", *(f"sidecar {name}" for name in ("status", "show", "history", "reset", "export", "import"))),
    *("sidecar record", "sidecar replay", "sidecar plot", "sidecar config"),
    *("corpus", "corpus measure", "corpus population", "doctor"),
]
HEAVY = ("numpy", "av", "rich", "msgspec", "onnxruntime", "matplotlib", "scipy", "sqlite3", "platformdirs", "ffmpeg")


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_100_columns(program: Program, command: str, columns: str) -> None:
    ended = program(*command.split(), "--help", env={"COLUMNS": columns})
    assert ended.code == 0 and ended.err == ""
    assert ended.out.startswith(f"Usage: {' '.join(['vmaf-tune', *command.split()])} ")
    assert max(map(len, ended.out.splitlines())) <= 100


@pytest.mark.parametrize("command", ["crf-search", "encode", "batch", "predict", "compare", "ladder"])
def test_the_usual_options_fit_one_screen_and_all_are_a_word_away(program: Program, command: str) -> None:
    usual, every = (program(command, option, env={"COLUMNS": "80"}).out for option in ("--help", "--help-all"))
    assert len(usual.splitlines()) <= 45 and "--help-all" in usual
    assert max(map(len, every.splitlines())) <= 80
    listed = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", every, re.MULTILINE))
    assert set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", usual, re.MULTILINE)) < listed
    assert {"--strict-plugins", "--cache-dir", "--config"} <= listed


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom vmaftune.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip() == "[]" and done.stdout.startswith("Usage: vmaf-tune")


def test_a_bare_call_shows_help(program: Program) -> None:
    ended = program()
    assert ended.code == 2 and "Usage: vmaf-tune" in ended.err and "crf-search" in ended.err


def test_version(program: Program) -> None:
    assert program("--version").out.startswith("vmaf-tune, version ")

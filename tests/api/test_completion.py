"""``vmaf-tune completion``: a real shell completes commands, options and the names of what is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program, program

__all__ = ["program"]

BIN = Path(sys.executable).parent


def _completed(program: Program, *words: str) -> list[str]:
    """What the program answers a shell that completes the last of ``words``."""
    line = {"COMP_WORDS": " ".join(["vmaf-tune", *words]), "COMP_CWORD": str(len(words))}
    ended = program(env={"_VMAF_TUNE_COMPLETE": "bash_complete", **line})
    assert (ended.code, ended.err) == (0, "")
    return [item.partition(",")[2] for item in ended.out.splitlines() if item]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("crf",), ["crf-search"]),
        (("models", "prom"), ["promote"]),
        (("--crf",), ["--crf-search"]),
        (
            ("--crf-search", "--min"),
            ["--min-vmaf", "--min-score", "--min-xpsnr", "--min-crf", "--min-samples"],
        ),
        (("--crf-search", "-i", "film.mkv", "-e", "libx26"), ["libx264", "libx265"]),
        (("-e", "libx264", "--crf-search", "--preset", "ultra"), ["ultrafast"]),
        (("encode", "--shot"), ["--shot-floor"]),
        (("crf-search", "--ev"), ["--events"]),
        (("crf-search", "--events", ""), ["jsonl"]),
        (("crf-search", "-e", "libx26"), ["libx264", "libx265"]),
        (("crf-search", "-e", "libx264", "--preset", "ultra"), ["ultrafast"]),
        (("crf-search", "--preset", "1"), ["1", "10", "11", "12", "13"]),
        (("crf-search", "--plugin", "ridge"), ["ridge-sidecar"]),
        (("crf-search", "--predictor", ""), ["mlp", "population"]),
        (("crf-search", "--model", "latest"), ["latest-stable"]),
        (("crf-search", "-e", "nosuch", "--preset", ""), []),
        (("completion", "z"), ["zsh"]),
    ],
)
def test_names_are_completed(program: Program, words: tuple[str, ...], found: list[str]) -> None:
    assert _completed(program, *words) == found


def test_what_cannot_be_known_completes_nothing_and_says_nothing(program: Program) -> None:
    program.models.mkdir()
    (program.models / "registry.json").write_text("no registry")
    assert _completed(program, "crf-search", "--model", "latest") == []


def test_completing_a_command_imports_no_command() -> None:
    script = (
        "import os, sys\nfrom vmaftune.cli import main\n"
        "os.environ.update(_VMAF_TUNE_COMPLETE='bash_complete', COMP_WORDS='vmaf-tune s', COMP_CWORD='1')\n"
        "try: main([])\n"
        "finally: print([n for n in sys.modules if n in ('numpy', 'rich', 'vmaftune.cli.score')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "plain,score" in done.stdout.splitlines() and done.stderr.strip() == "[]"


SHELLS = {
    "bash": 'eval "$(vmaf-tune completion bash)"\nCOMP_WORDS=(vmaf-tune crf-search -e libx26)\nCOMP_CWORD=3\n'
    '_vmaf_tune_completion vmaf-tune\necho "${COMPREPLY[@]}"',
    # Its completion runs only in its line editor, so the functions that it hands its findings to are looked at.
    "zsh": "compdef() { : }\nvmaf-tune completion zsh > script && source ./script\n"
    "compadd() { shift $(( ${@[(i)-a]} )); print ${(P)1} }\nwords=(vmaf-tune crf-search -e libx26) CURRENT=4\n"
    "_vmaf_tune_completion",
    "fish": "vmaf-tune completion fish | source\ncomplete -C 'vmaf-tune crf-search -e libx26' | string join ' '",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes(program: Program, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    if not (BIN / "vmaf-tune").exists():
        pytest.skip("vmaf-tune is not installed beside this Python")
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run(
        [shell, "-c", SHELLS[shell]], env=program.env(PATH=path), cwd=program.home, capture_output=True, text=True
    )
    assert done.stdout.split() == ["libx264", "libx265"], done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed_for_each_shell(program: Program, shell: str) -> None:
    ended = program("completion", shell)
    assert ended.code == 0 and f"_VMAF_TUNE_COMPLETE={shell}_complete" in ended.out

"""``plugins check`` holds a plugin to its contract and says in words what it does not keep."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.host.conftest import Install, install

__all__ = ["install"]

SHIFTY = """
    import numpy as np
    from vmaftune import hookimpl
    from vmaftune.contract import Adjustment, CorrectionSpec

    class Shifty:
        def correct(self, context, prediction):
            return Adjustment(shift=np.full(len(context.crfs), 0.5), captures=0)

        def learn(self, capture):
            pass

    @hookimpl
    def vmaftune_corrections():
        yield CorrectionSpec(name="shifty", version="1", factory=lambda context: Shifty())
"""


@pytest.fixture
def path(tmp_path: Path, install: Install) -> dict[str, str]:
    """The environment in which the correction that shifts at once is installed."""
    install("shifty", SHIFTY)
    install("gone", "import no_such_module")
    return {"PYTHONPATH": os.pathsep.join(str(site) for site in tmp_path.glob("site-*"))}


def test_one_of_ours_passes_with_a_line_for_each_check_and_leaves_nothing(program: Program) -> None:
    ended = program("plugins", "check", "population")
    assert (ended.code, ended.err) == (0, "")
    *lines, summary = ended.out.splitlines()
    assert all(line.startswith("ok       population ") and line.endswith(".") for line in lines)
    assert summary == f"{len(lines)} checks: {len(lines)} passed, 0 failed, 0 skipped"
    assert program.left_behind() == []


def test_what_fails_is_said_in_words(program: Program, path: dict[str, str]) -> None:
    ended = program("plugins", "check", "shifty", env=path)
    assert (ended.code, ended.err) == (1, "")
    (failed,) = [line for line in ended.out.splitlines() if line.startswith("FAILED")]
    assert failed.startswith("FAILED   shifty nothing_learned_changes_nothing: with nothing learned it shifts by 0.5 (")
    assert ", 1 failed, 0 skipped" in ended.out.splitlines()[-1]


def test_as_json(program: Program, path: dict[str, str]) -> None:
    ended = program("plugins", "check", "shifty", "--json", env=path)
    assert ended.code == 1
    (failed,) = [row for row in ended.json if row["outcome"] == "failed"]
    assert (failed["name"], failed["check"]) == ("shifty", "nothing_learned_changes_nothing")
    assert failed["why"].startswith("with nothing learned it shifts by 0.5")
    assert {row["why"] for row in ended.json if row["outcome"] == "passed"} == {""}


def test_an_encoder_that_ffmpeg_lacks_is_checked_as_far_as_it_goes(program: Program) -> None:
    ended = program("plugins", "check", "hevc_videotoolbox", "--json")
    assert ended.code == 0
    assert [row["outcome"] for row in ended.json].count("skipped") == 3


def test_an_ffmpeg_of_the_users_own_is_the_one_that_is_tried(program: Program) -> None:
    ended = program("plugins", "check", "libx264", "--ffmpeg", "/no/such/ffmpeg")
    assert ended.code == 0
    assert "skipped  libx264 ffmpeg_encodes_with_it: no ffmpeg at /no/such/ffmpeg" in ended.out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone", "plugin gone cannot be used: ModuleNotFoundError: "),
        ("nobody", "no plugin nobody is installed; there is:"),
    ],
)
def test_one_that_is_not_there_or_cannot_be_loaded_is_one_line(
    program: Program, path: dict[str, str], name: str, says: str
) -> None:
    ended = program("plugins", "check", name, env=path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.complaint().startswith(says)

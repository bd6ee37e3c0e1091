"""A training that was killed goes on from its checkpoint and gives the bits that it would have given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tiny.build import made_table
from vmaftune.tiny import checkpoint
from vmaftune.tiny.tablefile import write_table

OUTPUTS = ("mlp_small.onnx", "eval_report.json")

SLOWLY = """
import sys, time
from pathlib import Path
from vmaftune.tiny import checkpoint
from vmaftune.cli import main

checkpoint._LEAST_SECONDS = 0.0
checkpoint._LARGEST_SHARE = 1e9
sys.exit(main(sys.argv[1:]))
"""


def command(table: Path, output: Path, *more: str) -> list[str]:
    line = ["tiny", "train", table, "-o", output, "--epochs", "40", "--loso", "--threads", "2", *more]
    return [sys.executable, "-c", SLOWLY, *map(str, line)]


def without_times(report: Path) -> str:
    return report.read_text().partition('"latency"')[0] + report.read_text().partition('"settings"')[2]


@pytest.mark.parametrize("more", [(), ("--early-stop", "30")], ids=["all epochs", "early stopping"])
def test_a_kill_at_any_time_changes_nothing(tmp_path: Path, more: tuple[str, ...]) -> None:
    table = tmp_path / "table.npz"
    write_table(made_table(5, 3), table)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert subprocess.run(command(table, whole, *more), cwd=ROOT, capture_output=True).returncode == 0
    kills = 0
    for _ in range(3):
        child = subprocess.Popen(command(table, torn, *more), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        begun = (torn / ".training.npz").stat().st_mtime_ns if (torn / ".training.npz").exists() else 0
        while child.poll() is None:
            file = torn / ".training.npz"
            if file.exists() and file.stat().st_mtime_ns > begun:
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        child.communicate()
    assert kills >= 2
    last = subprocess.run(command(table, torn, *more), cwd=ROOT, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    assert "there" in last.stderr.splitlines()[0] and not last.stderr.startswith("40 epochs to do, 0 there"), (
        last.stderr
    )
    assert (torn / OUTPUTS[0]).read_bytes() == (whole / OUTPUTS[0]).read_bytes()
    assert without_times(torn / OUTPUTS[1]) == without_times(whole / OUTPUTS[1])
    # A kill amid a write leaves its temporary file, which a later write sweeps away.
    left = {path.name for path in torn.iterdir() if path.suffix != ".tmp"}
    assert left == {path.name for path in whole.iterdir()}


@pytest.mark.parametrize("harm", [b"", b"PK\x03\x04 not a zip", None], ids=["empty", "garbage", "of another training"])
def test_a_checkpoint_that_does_not_fit_is_not_gone_on_from(
    tmp_path: Path, harm: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vmaftune.tiny.architectures import ARCHITECTURES
    from vmaftune.tiny.folds import Fold
    from vmaftune.tiny.recipes import Recipe
    from vmaftune.tiny.train import train

    monkeypatch.setattr(checkpoint, "_LEAST_SECONDS", 0.0)
    path, small = tmp_path / "kept.npz", ARCHITECTURES["mlp_small"]
    begun: list[int] = []
    if harm is None:
        train(made_table(3), [Fold()], small, Recipe(name="x", epochs=2), seed=8, checkpoint=path)
        assert path.exists()
    else:
        path.write_bytes(harm)
    train(made_table(3), [Fold()], small, Recipe(name="x", epochs=2), seed=9, checkpoint=path, on_epoch=begun.append)
    assert begun == [0, 1, 2]

"""The same jobs on a Dask cluster of two worker processes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.batch.conftest import LEARNED, MANY, QUICK, Cluster, done, results, soon, states
from tests.cli.conftest import SIDECAR, Program


def test_thirty_clips_with_a_worker_killed_give_thirty_results(program: Program, many: Path, cluster: Cluster) -> None:
    line = ["batch", many, "--search-only", *QUICK, "--scheduler", cluster.address, "--json"]
    child = program.start(*line)
    assert soon(lambda: done(program) >= 5)
    os.kill(cluster.workers()[0], signal.SIGKILL)
    out, err = child.communicate(timeout=240)
    assert child.returncode == 0, err
    ended = results(out.decode())
    assert sorted(Path(one["file"]).name for one in ended) == sorted(path.name for path in many.iterdir())
    assert set(states(program).values()) == {"done"} and len(states(program)) == MANY
    assert results(program(*line).out) == []


@pytest.mark.parametrize("ship", [(), ("--ship",)])
def test_captures_of_a_cluster_come_back_to_one_sidecar(
    program: Program, many: Path, cluster: Cluster, ship: tuple[str, ...]
) -> None:
    named = [many / f"clip{number:02d}.mkv" for number in range(4)]
    line = ["batch", *named, "--search-only", *LEARNED, *SIDECAR, "--scheduler", cluster.address, "--json"]
    ended = program(*line, *ship)
    assert ended.code == 0, ended.err
    reports = [one["report"] for one in results(ended.out)]
    state = json.loads(next(program.cache.glob("sidecar/*/libx264/state.json")).read_text())
    probes = sum(report["probe_count"] for report in reports)
    assert len(state["history"]) == probes > 0
    seen = [report["plugins"][0]["captures"] for report in reports]
    assert seen[0] == 0 and max(seen) > 0  # later jobs knew what earlier ones had scored


def test_a_shipped_search_is_that_of_the_file(program: Program, many: Path, cluster: Cluster, tmp_path: Path) -> None:
    clip = many / "clip07.mkv"
    (here,) = results(program("batch", clip, "--search-only", *QUICK, "--json", "--queue", tmp_path / "q").out)
    (there,) = results(
        program("batch", clip, "--search-only", *QUICK, "--scheduler", cluster.address, "--ship", "--json").out
    )
    for name in ("crf", "vmaf", "samples", "encode_command", "predicted_vmaf"):
        assert there["report"][name] == here["report"][name]


def test_an_encode_on_the_cluster_goes_to_shared_storage(program: Program, many: Path, cluster: Cluster) -> None:
    ended = program("batch", many / "clip03.mkv", "-o", "out", *QUICK, "--scheduler", cluster.address, "--json")
    assert ended.code == 0, ended.err
    assert [path.name for path in (program.home / "out").iterdir()] == ["clip03.mkv"]
    assert results(ended.out)[0]["report"]["checked"]


def test_what_is_wrong_is_one_line(program: Program, many: Path) -> None:
    pytest.importorskip("distributed")
    clip = many / "clip00.mkv"
    for more, said in (
        (("--scheduler", "127.0.0.1:1"), "give it as tcp://HOST:PORT"),
        (("--scheduler", "tcp://127.0.0.1:1"), "nothing answers there"),
        (("--ship",), "name its --scheduler"),
    ):
        ended = program("batch", clip, "--search-only", *QUICK, *more)
        assert ended.code == 2 and said in ended.complaint()


def test_without_dask_one_line_says_what_to_install(program: Program, many: Path, tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError('not here')")
    ended = program(
        "batch", many / "clip00.mkv", "--search-only", "--scheduler", "tcp://h:1", env={"PYTHONPATH": str(tmp_path)}
    )
    assert ended.code == 2 and "pip install 'distributed>=" in ended.complaint()

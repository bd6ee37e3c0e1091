"""Batches as a user runs them: the real program in folders of its own, on tiny generated clips."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Program, clip, clips, ffmpeg, program

__all__ = ["clip", "clips", "program"]

FAST = ("-e", "libx264", "--preset", "ultrafast", "--vmaf-scale", "none", "--min-vmaf", "70", "--tolerance", "20")
QUICK = (*FAST, "--min-crf", "28", "--max-crf", "30", "--crf-increment", "2")
"""Two CRFs to choose from: a search of one or two probes."""
LEARNED = (*QUICK, "--vmaf-scale", "auto")
"""The same, at the size that is learned."""
MANY = 30


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 30 short clips that differ."""
    folder = tmp_path_factory.mktemp("many")
    frames = 8
    made = ("-c:v", "libx264", "-crf", "8", "-g", str(frames), "-bf", "0", "-pix_fmt", "yuv420p")
    cut = ("-f", "segment", "-segment_frames", ",".join(str(frames * n) for n in range(1, MANY)))
    source = ("-f", "lavfi", "-i", "mandelbrot=size=64x36:rate=24", "-frames:v", str(frames * MANY))
    ffmpeg(*source, *made, *cut, "-reset_timestamps", "1", folder / "clip%02d.mkv")
    assert len(list(folder.iterdir())) == MANY
    return folder


def queue_file(program: Program) -> Path:
    return program.cache / "batch.sqlite"


def states(program: Program) -> dict[str, str]:
    """State of each file in the queue, by name."""
    database = sqlite3.connect(queue_file(program), timeout=180)
    found = dict(database.execute("SELECT file, state FROM jobs").fetchall())
    database.close()
    return {Path(name.decode()).name: state for name, state in found.items()}


def done(program: Program) -> int:
    """How many rows are done, also while a batch runs."""
    if not queue_file(program).exists():
        return 0
    try:
        return list(states(program).values()).count("done")
    except sqlite3.OperationalError:  # being made
        return 0


def results(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def soon(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether ``condition`` holds within a time that is generous."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


_CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    print(cluster.scheduler_address, flush=True)
    for line in sys.stdin:
        pids = [nanny.pid for nanny in cluster.workers.values()]
        print(*pids, flush=True)
"""


class Cluster:
    """A Dask scheduler with two workers, each a process; a worker that is killed is begun again by its nanny."""

    def __init__(self, folder: Path) -> None:
        script = folder / "cluster.py"
        script.write_text(_CLUSTER)
        self._process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
        )
        self.address = self._line()

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [int(pid) for pid in self._line().split()]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="no Dask here: pip install 'vmaf-tune[distributed]'")
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()

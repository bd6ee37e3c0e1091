"""Wall time of a batch: 2 jobs against 1, against single searches one after another, against a cluster; and what a job costs.

    python benchmarks/batch.py [--files 20] [--frames 48] [--size 320x180] [--encoder libx264]

Prints ratios, and processor time where it is known: wall time says little on a machine with other work. Every way of doing the
files begins with an empty cache. Costs are those of a job with nothing to do (its file is missing) and of samples that travel.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from vmaftune.batch.executors import Executor, LocalExecutor
from vmaftune.batch.messages import Job

_IDLE_JOBS = 40
_MEGABYTES = (1, 10, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--encoder", default="libx264")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {chosen}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _clips(folder / "clips", chosen.files, chosen.frames, chosen.size)
        search = ("-e", chosen.encoder, "--vmaf-scale", "none", "--min-vmaf", "90", "--json")
        batch = ("batch", *map(str, files), "--search-only", *search)
        cluster = _cluster()
        _costs(cluster)
        one = _timed("batch, 1 job", folder, None, (*batch, "--jobs", "1"))
        _timed("batch, 2 jobs", folder, one, (*batch, "--jobs", "2"))
        _timed("single searches", folder, one, *(("crf-search", "-i", str(file), *search) for file in files))
        if cluster is not None:
            where = ("--scheduler", cluster.scheduler_address)
            _timed("2 Dask workers, by path", folder, one, (*batch, *where))
            _timed("2 Dask workers, samples shipped", folder, one, (*batch, *where, "--ship"))
        if cluster is not None:
            cluster.close()


def _clips(folder: Path, count: int, frames: int, size: str) -> list[Path]:
    folder.mkdir()
    source = ["-f", "lavfi", "-i", f"mandelbrot=size={size}:rate=24", "-frames:v", str(frames * count)]
    cut = ["-f", "segment", "-segment_frames", ",".join(str(frames * n) for n in range(1, count))]
    made = [
        "-c:v",
        "libx264",
        "-crf",
        "8",
        "-g",
        str(frames),
        "-bf",
        "0",
        "-pix_fmt",
        "yuv420p",
        "-reset_timestamps",
        "1",
    ]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *made, *cut, str(folder / "clip%03d.mkv")]
    subprocess.run(command, check=True)
    return sorted(folder.iterdir())


def _timed(what: str, folder: Path, one: float | None, *commands: Sequence[str]) -> float:
    """Wall time in seconds of these commands, one after another, from an empty cache; printed against ``one``."""
    used = _processor_seconds()
    probes: list[int] = []
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        began = time.monotonic()
        for command in commands:
            line = [sys.executable, "-m", "vmaftune", *command]
            done = subprocess.run(line, env={**os.environ, "XDG_CACHE_HOME": cache}, capture_output=True, text=True)
            if done.returncode not in (0, 3):
                raise SystemExit(done.stderr)
            probes += [_probes(json.loads(line)) for line in done.stdout.splitlines()]
        seconds = time.monotonic() - began
    ratio = seconds / (one or seconds)
    used, mean = _processor_seconds() - used, sum(probes) / len(probes)
    print(
        f"{what:34}{seconds:7.1f} s, {ratio:4.2f} of 1 job; {used:6.1f} processor s here; {mean:.1f} probes a file",
        flush=True,
    )
    return seconds


def _processor_seconds() -> float:
    """Of all processes that were begun here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _probes(result: dict[str, Any]) -> int:
    return int(result.get("report", result)["probe_count"])


def _cluster() -> Any:
    try:
        from distributed import LocalCluster
    except ImportError:
        print("no Dask here: pip install 'vmaf-tune[distributed]'")
        return None
    return LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)


def _costs(cluster: Any) -> None:
    local = LocalExecutor(2)
    _idle("local processes", local)
    local.close()
    if cluster is None:
        return
    from vmaftune.batch.away import Packer
    from vmaftune.batch.cluster import ClusterExecutor

    away = ClusterExecutor(cluster.scheduler_address, Packer({}, print, ship=False), None)
    _idle("2 Dask workers", away)
    away.close()
    _transfer(cluster)


def _idle(what: str, executor: Executor) -> None:
    """Time of jobs with nothing to do, the first ones apart: they begin the processes."""
    job = Job(file=b"/nonexistent.mkv", output=None, options={"encoder": "libx264"})
    first = _seconds(lambda: wait([executor.submit(job, lambda step: None) for _ in range(2)]))
    rest = _seconds(lambda: wait([executor.submit(job, lambda step: None) for _ in range(_IDLE_JOBS)]))
    print(
        f"{what}: {first:.2f} s until both processes have begun, then {1000 * rest / _IDLE_JOBS:.0f} ms a job",
        flush=True,
    )


def _transfer(cluster: Any) -> None:
    """Time of samples to a worker through the scheduler, as --ship sends them."""
    from distributed import Client

    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.submit(len, b"", pure=False).result()
        for megabytes in _MEGABYTES:
            samples = [os.urandom(megabytes * 1_000_000)]
            seconds = _seconds(lambda samples=samples: client.submit(len, samples, pure=False).result())
            print(f"{megabytes:4d} MB of samples to a worker: {seconds:.2f} s")


def _seconds(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


if __name__ == "__main__":
    main()

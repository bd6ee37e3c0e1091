"""What the trainer's service and its client cost, and what they can do: ``make bench-trainer``.

The service runs in a process of its own, with the learner of sgd-ema-trainer where torch is installed, and with one that only
counts, which shows what the service itself can do. Printed are the figures, and each over its target.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from vmaftune.contract import Capture
from vmaftune.contract.features import FEATURES, SCHEMA_VERSION, Features
from vmaftune.contract.learner import LearnerStatistics, Published, Sample
from vmaftune.trainer.client import FeedbackClient
from vmaftune.trainer.log import Log
from vmaftune.trainer.messages import request_line
from vmaftune.trainer.server import serve
from vmaftune.trainer.service import ServiceOptions
from vmaftune.trainer.status import Status, ask

REAL, COUNTING = "sgd-ema-trainer", "counting"
WINDOW = 512
"""Samples of a connection that are on their way at once."""


class CountingLearner:
    """Trains nothing."""

    def __init__(self) -> None:
        self._taken = 0

    def ingest(self, samples: Sequence[Sample]) -> None:
        self._taken += len(samples)

    def train(self) -> bool:
        return False

    def checkpoint(self, unix_seconds: float, *, force: bool = False) -> Published | None:
        return None

    def snapshot(self) -> None:
        pass

    def restore(self) -> int:
        return 0

    def statistics(self) -> LearnerStatistics:
        return LearnerStatistics(
            step=0,
            taken=self._taken,
            buffered=0,
            loss=None,
            trained_unix_seconds=None,
            since_checkpoint=0,
            buffer_bytes=0,
        )


class Service:
    """A service in a process of its own."""

    def __init__(self, folder: Path, learner: str, *, durable: bool) -> None:
        self.socket, self.waiting = folder / "s", folder / "cache" / "trainer"
        if learner == COUNTING:
            command = [sys.executable, str(Path(__file__).absolute()), "--serve-counting", str(folder)]
        else:
            command = [sys.executable, "-m", "vmaftune", "trainer", "serve", "--socket", str(self.socket)]
            command += ["--plugin", learner, "--cache-dir", str(folder / "cache")]
        command += [] if durable else ["--no-durability"]
        environment = {**os.environ, "VMAFTUNE_MODELS": str(folder / "models")}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, env=environment, cwd=folder)
        until = time.monotonic() + 300  # of a busy machine
        while self.status() is None:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the service does not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)

    def status(self) -> Status | None:
        try:
            return ask(self.socket)
        except OSError:
            return None

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextlib.contextmanager
def service(learner: str, *, durable: bool = True) -> Iterator[Service]:
    """A service that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="vt-bench-") as folder:
        made = Service(Path(folder), learner, durable=durable)
        try:
            yield made
        finally:
            made.process.send_signal(signal.SIGCONT)
            made.process.terminate()
            made.process.wait(10)


def lines(count: int, name: str, seed: int = 0) -> list[bytes]:
    """Samples of sources that differ."""
    random = np.random.default_rng(seed)
    centre = np.array([scale.centre for scale in FEATURES.values()])
    spread = np.array([scale.spread for scale in FEATURES.values()])
    made = []
    for number in range(count):
        if number % 8 == 0:
            features = (centre + 0.3 * spread * random.standard_normal(len(centre))).tolist()
        crf = float(random.integers(18, 40))
        made.append(request_line(f"{name}-{number}", "libx264", "medium", crf, features, float(118.0 - crf)))
    return made


def acknowledged_per_second(path: Path, connections: int, samples: int, name: str) -> float:
    """All connections send as fast as answers come."""
    shares = [lines(samples // connections, f"{name}{n}", n) for n in range(connections)]
    selector = selectors.DefaultSelector()
    state = {}
    for share in shares:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(path))
        selector.register(made, selectors.EVENT_READ)
        state[made] = [0, 0, share]  # sent, answered
    began = time.perf_counter()
    for made, (_, _, share) in state.items():
        made.sendall(b"".join(share[:WINDOW]))
        state[made][0] = min(WINDOW, len(share))
    left = sum(len(share) for share in shares)
    while left:
        for key, _ in selector.select(10):
            made = key.fileobj
            answers = made.recv(1 << 20)  # type: ignore[union-attr]
            if not answers or b"false" in answers:
                raise SystemExit(f"the service refused: {answers[:200]!r}")
            count = answers.count(b"\n")
            left -= count
            mine = state[made]  # type: ignore[index]
            mine[1] += count
            more = mine[1] + WINDOW - mine[0]
            if more >= WINDOW // 4 and mine[0] < len(mine[2]):
                made.sendall(b"".join(mine[2][mine[0] : mine[0] + more]))  # type: ignore[union-attr]
                mine[0] += more
    seconds = time.perf_counter() - began
    for made in state:
        made.close()
    return sum(len(share) for share in shares) / seconds


def capture() -> Capture:
    values = tuple(scale.centre for scale in FEATURES.values())
    return Capture(
        features=Features(schema=SCHEMA_VERSION, values=values),
        encoder="libx264",
        preset="medium",
        crf=23.0,
        crf_position=0.4,
        predicted=92.0,
        deviation=1.5,
        corrected=92.0,
        observed=93.5,
        unix_seconds=1.79e9,
    )


@contextlib.contextmanager
def client(condition: str, learner: str) -> Iterator[FeedbackClient | None]:
    """A client with the trainer on, dead or hung; or none at all."""
    with contextlib.ExitStack() as stack:
        if condition == "none":
            yield None
            return
        if condition == "dead":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vt-bench-")))
            made = FeedbackClient(folder / "s", folder)
        else:
            running = stack.enter_context(service(learner))
            made = FeedbackClient(running.socket, running.waiting)
            if condition == "hung":
                os.kill(running.process.pid, signal.SIGSTOP)
        yield made
        made.close(0.2)


def send_microseconds(send: Callable[[Capture], None], count: int) -> list[float]:
    """Time of each call, a thousand a second."""
    given = capture()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        send(given)
        times.append(1e6 * (time.perf_counter() - began))
        time.sleep(0.001)
    return sorted(times)


def encode_seconds(sender: FeedbackClient | None, clip: Path) -> float:
    """One encode, with a score handed over for it."""
    began = time.perf_counter()
    quiet = ["-y", "-nostdin", "-loglevel", "error"]
    coded = ["-c:v", "libx264", "-preset", "fast", "-crf", "26", "-threads", "1", "-f", "null", "-"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *quiet, "-i", str(clip), *coded], check=True)
    if sender is not None:
        for _ in range(3):
            sender.send(capture())
    return time.perf_counter() - began


def row(name: str, figure: float, unit: str, target: float | None = None, *, at_most: bool = False) -> None:
    """One line, with the ratio to the target where there is one."""
    text = f"{name:62s} {figure:10,.1f} {unit}"
    if target is not None:
        met = figure <= target if at_most else figure >= target
        text += f"   {figure / target:5.2f} of {'at most' if at_most else 'at least'} {target:,g}: {'met' if met else 'MISSED'}"
    print(text, flush=True)


def bench_throughput(learner: str, samples: int) -> None:
    for durable, target in ((False, 20_000), (True, 5_000)):
        for connections in (1, 8):
            with service(learner, durable=durable) as running:
                acknowledged_per_second(running.socket, 1, 2000, "warm")
                rate = acknowledged_per_second(running.socket, connections, samples, "m")
            kind = "durable" if durable else "without durability"
            row(f"acknowledged, {learner}, {kind}, {connections} connections", rate, "/s", target)


def bench_send(learner: str, count: int) -> None:
    times = send_microseconds(lambda given: None, count)
    row("a call that does nothing, p99", times[len(times) * 99 // 100], "us")
    for condition in ("on", "dead", "hung"):
        with client(condition, learner) as sender:
            assert sender is not None
            times = send_microseconds(sender.send, count)
        row(f"send() p99, trainer {condition}", times[len(times) * 99 // 100], "us", 20, at_most=True)
        row(f"send() median and longest, trainer {condition}: {times[len(times) // 2]:.1f} and", times[-1], "us")


def bench_encodes(learner: str, rounds: int) -> None:
    conditions = ("none", "on", "dead", "hung")
    times: dict[str, list[float]] = {condition: [] for condition in conditions}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        clip = Path(folder) / "clip.mkv"
        source = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=4", "-c:v", "libx264", "-crf", "10"]
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, str(clip)], check=True)
        senders = {condition: stack.enter_context(client(condition, learner)) for condition in conditions}
        for _ in range(rounds):  # in turn, so that what else the machine does falls on all alike
            for condition in conditions:
                times[condition].append(encode_seconds(senders[condition], clip))
    without = statistics.median(times["none"])
    spread = statistics.quantiles(times["none"], n=4)
    row("encode without a client, median", 1e3 * without, "ms")
    row("the same, between its quartiles", 100 * (spread[2] - spread[0]) / without, "%")
    for condition in conditions[1:]:
        ratios = [a / b for a, b in zip(times[condition], times["none"], strict=True)]
        row(f"encode with the trainer {condition}, median over that of none", statistics.median(ratios) * 100, "%")


def bench_latency(learner: str, seconds: float) -> None:
    with service(learner) as running:
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(running.socket))
        began = time.perf_counter()
        for number, line in enumerate(lines(int(100 * seconds), "l")):
            time.sleep(max(0.0, began + number / 100 - time.perf_counter()))
            made.sendall(line)
            made.recv(4096)
        time.sleep(1.0)
        status = running.status()
        assert status is not None
        row("ingest to trained at 100/s, median", status.latency_ms or 0.0, "ms", 100, at_most=True)
        row("ingest to trained at 100/s, p99", status.latency_p99_ms or 0.0, "ms", 100, at_most=True)
        before, at = status.step, time.perf_counter()
        acknowledged_per_second(running.socket, 1, 4000, "s")
        time.sleep(2.0)
        status = running.status()
        assert status is not None
        row("steps, with samples to train on", (status.step - before) / (time.perf_counter() - at), "/s")
        made.close()


def bench_memory(learner: str, samples: int) -> None:
    with service(learner, durable=False) as running:
        sizes = []
        for part in range(4):
            acknowledged_per_second(running.socket, 4, samples // 4, f"p{part}-")
            sizes.append(running.resident_mb())
            row(f"memory after {samples * (part + 1) // 4:,} samples, {learner}", sizes[-1], "MB")
        row(f"growth over the second half, {learner}", sizes[3] - sizes[1], "MB", 10, at_most=True)


def serve_counting(folder: Path, *, durable: bool) -> None:
    options = ServiceOptions(plugin=COUNTING, durable=durable)
    waiting = folder / "cache" / "trainer"
    serve(folder / "s", folder / "state", waiting, CountingLearner, options, Log())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples, a minute or two in all")
    parser.add_argument("--only", choices=["throughput", "send", "encodes", "latency", "memory"])
    parser.add_argument("--serve-counting", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--no-durability", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve_counting:
        serve_counting(given.serve_counting, durable=not given.no_durability)
        return
    real = importlib.util.find_spec("torch") is not None
    learner = REAL if real else COUNTING
    learners = (COUNTING, REAL) if real else (COUNTING,)
    scale = 5 if given.quick else 1
    benches: dict[str, Callable[[], object]] = {
        "throughput": lambda: [bench_throughput(name, 100_000 // scale) for name in learners],
        "send": lambda: bench_send(learner, 5000 // scale),
        "encodes": lambda: bench_encodes(learner, 40 // scale),
        "latency": lambda: bench_latency(learner, 30 / scale),
        "memory": lambda: [bench_memory(name, 200_000) for name in learners],
    }
    for name, bench in benches.items():
        if given.only in (None, name):
            bench()


if __name__ == "__main__":
    main()

"""The encode path's side: it never waits, whatever the trainer does."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from vmaftune_plugins.trainers.sgd_ema import FeedbackTrainer

from tests.trainer.conftest import Served, capture
from vmaftune.contract.features import NAMES, SCHEMA_VERSION, Features
from vmaftune.trainer import waiting
from vmaftune.trainer.client import RING_ENTRIES, FeedbackClient
from vmaftune.trainer.connection import ConnectionLimits


def wait_for(what: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)


def test_captures_arrive(served: Served) -> None:
    served.start()
    client = FeedbackClient(served.socket, served.waiting)
    for _ in range(500):
        client.send(capture())
    counts = client.close(5.0)
    assert (counts.handed_over, counts.spooled, counts.dropped, counts.unfit) == (500, 0, 0, 0)
    assert served.status().taken == 500


def test_without_a_trainer_they_wait_on_the_disk_and_are_taken_in_once(served: Served) -> None:
    client = FeedbackClient(served.socket, served.waiting)
    for _ in range(300):
        client.send(capture())
    assert client.close().spooled == 300
    served.start()
    assert served.status().taken == 300
    served.kill()
    served.start()
    assert served.stop() == 0
    assert len(served.held().ids) == len(set(served.held().ids)) == 300


def test_a_trainer_that_dies_and_comes_back_loses_nothing(served: Served) -> None:
    client = FeedbackClient(served.socket, served.waiting)
    sent = 0
    for _ in range(4):
        served.start()
        for _ in range(100):
            client.send(capture())
            sent += 1
            time.sleep(0.0005)
        served.kill()
    counts = client.close()
    assert counts.handed_over + counts.spooled == sent and counts.dropped == 0
    served.start()
    assert served.stop() == 0
    assert len(served.held().ids) == len(set(served.held().ids)) == sent


def test_a_connection_that_was_closed_meanwhile_is_made_again(served: Served) -> None:
    served.start(limits=ConnectionLimits(idle_seconds=0.3))
    client = FeedbackClient(served.socket, served.waiting)
    for number in range(2):
        client.send(capture())
        wait_for(lambda number=number: client.counts().handed_over == number + 1)  # type: ignore[misc]
        time.sleep(2.0)
    assert served.stop() == 0
    served.start()
    client.send(capture())
    counts = client.close()
    assert (counts.handed_over, counts.spooled) == (3, 0)


def test_a_trainer_that_hangs_costs_nothing_and_counts_once(served: Served) -> None:
    process = served.start()
    client = FeedbackClient(served.socket, served.waiting, answer_seconds=0.5)
    client.send(capture())
    wait_for(lambda: client.counts().handed_over == 1)
    os.kill(process.pid, signal.SIGSTOP)
    times = []
    for _ in range(800):
        began = time.perf_counter()
        client.send(capture())
        times.append(time.perf_counter() - began)
    assert sorted(times)[len(times) // 2] < 1e-4 and max(times) < 0.1
    began = time.perf_counter()
    counts = client.close(1.0)
    assert time.perf_counter() - began < 2.5
    assert (counts.handed_over, counts.spooled, counts.dropped) == (1, 800, 0)
    os.kill(process.pid, signal.SIGCONT)
    assert served.stop() == 0
    served.start()  # it read some of them from the socket, and finds all of them on the disk
    assert served.stop() == 0
    assert len(served.held().ids) == len(set(served.held().ids)) == 801


def test_the_ring_is_bounded_and_what_is_dropped_is_counted(served: Served) -> None:
    process = served.start()
    os.kill(process.pid, signal.SIGSTOP)
    client = FeedbackClient(served.socket, served.waiting, answer_seconds=30.0)
    for _ in range(RING_ENTRIES + 500):
        client.send(capture())
    assert client.dropped() >= 499  # one may be on its way out of the ring
    counts = client.close(0.2)
    assert counts.spooled + counts.dropped == RING_ENTRIES + 500


def test_after_close_everything_is_dropped(tmp_path: Path) -> None:
    client = FeedbackClient(tmp_path / "none.sock", tmp_path)
    client.close()
    client.send(capture())
    assert client.dropped() == 1 and client.close().dropped == 1


def test_captures_that_no_trainer_takes_are_counted(served: Served) -> None:
    served.start()
    client = FeedbackClient(served.socket, served.waiting)
    for value in (math.nan, math.inf, 1e30):
        client.send(capture(features=Features(schema=SCHEMA_VERSION, values=(value,) * len(NAMES))))
    client.send(capture(observed=130.0))
    client.send(capture())
    counts = client.close(5.0)
    assert (counts.handed_over, counts.unfit) == (1, 4)


def test_the_disk_holds_so_many_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LARGEST_BYTES", 20_000)
    client = FeedbackClient(tmp_path / "none.sock", tmp_path / "waiting")
    for _ in range(200):
        client.send(capture())
    counts = client.close()
    assert 0 < counts.spooled < 100 and counts.spooled + counts.dropped == 200
    assert (tmp_path / "waiting" / "waiting.jsonl").stat().st_size <= 20_000


def test_a_disk_that_takes_nothing_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    client = FeedbackClient(tmp_path / "none.sock", tmp_path / "file" / "waiting")
    for _ in range(10):
        client.send(capture())
    assert client.close().dropped == 10


def test_many_threads_send_through_one_client(served: Served) -> None:
    served.start()
    client = FeedbackClient(served.socket, served.waiting)

    def send() -> None:
        for _ in range(100):
            client.send(capture())
            time.sleep(0.001)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = client.close(5.0)
    assert counts.handed_over == 400 and counts.dropped == 0


def test_the_plugin_says_in_one_line_what_became_of_them(served: Served) -> None:
    said: list[str] = []
    trainer = FeedbackTrainer(served.socket, served.waiting, said.append)
    trainer.learn(capture())
    trainer.close()
    trainer.close()
    assert said == ["0 scores handed to the trainer, 1 wait on the disk for one"]
    FeedbackTrainer(served.socket, served.waiting, said.append).close()
    assert len(said) == 1

"""The replay buffer: bounded, first in first out, the same draws for the same seed, whole on disk, safe between threads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from vmaftune_plugins.trainers.replay_buffer import ReplayBuffer


def filled(count: int, capacity: int = 10, width: int = 3) -> ReplayBuffer:
    buffer = ReplayBuffer(capacity, width)
    for number in range(count):
        buffer.push(np.full(width, number))
    return buffer


def test_the_newest_rows_are_held_oldest_first() -> None:
    assert len(filled(0)) == 0 and filled(0).rows().shape == (0, 3)
    assert filled(4).rows()[:, 0].tolist() == [0, 1, 2, 3]
    assert filled(25).rows()[:, 0].tolist() == list(range(15, 25))


def test_statistics_and_memory_are_as_computed() -> None:
    buffer = ReplayBuffer(10_000, 80)
    assert buffer.nbytes == 10_000 * 80 * 4 == 3_200_000
    for _ in range(3):
        buffer.push(np.zeros(80))
    assert buffer.statistics.held == 3 and buffer.statistics.nbytes == 3_200_000
    full = filled(25).statistics
    assert (full.pushed, full.held, full.evicted, full.capacity) == (25, 10, 15, 10)


def test_uniform_draws_are_uniform_and_follow_the_generator() -> None:
    buffer = filled(25)
    drawn = buffer.sample(20_000, np.random.default_rng(1))[:, 0]
    counts = np.bincount(drawn.astype(int))[15:]
    assert counts.sum() == 20_000 and counts.min() > 1700 and counts.max() < 2300
    assert (drawn == buffer.sample(20_000, np.random.default_rng(1))[:, 0]).all()
    assert buffer.sample(500, np.random.default_rng(2), before=18)[:, 0].max() == 17


def test_recent_draws_hold_each_of_the_newest_once() -> None:
    buffer = filled(100, capacity=60)
    drawn = buffer.sample_recent(16, np.random.default_rng(0), recent=8)
    assert drawn[:8, 0].tolist() == list(range(92, 100)) and drawn[8:, 0].min() >= 40
    earlier = buffer.sample_recent(16, np.random.default_rng(0), recent=8, before=90)
    assert earlier[:8, 0].tolist() == list(range(82, 90)) and earlier[:, 0].max() < 90
    assert buffer.sample_recent(4, np.random.default_rng(0), recent=1)[0, 0] == 99


def test_nothing_can_be_drawn_from_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        filled(0).sample(1, np.random.default_rng(0))


@pytest.mark.parametrize("count", [0, 4, 10, 37])
def test_a_snapshot_restores_all_of_it(tmp_path: Path, count: int) -> None:
    buffer = filled(count)
    buffer.snapshot(tmp_path / "buffer.npz")
    again = ReplayBuffer.restore(tmp_path / "buffer.npz")
    assert again.statistics == buffer.statistics and (again.rows() == buffer.rows()).all()
    for each in (buffer, again):
        each.push(np.full(3, 99))
    assert (again.sample(50, np.random.default_rng(3)) == buffer.sample(50, np.random.default_rng(3))).all()
    assert [path.name for path in tmp_path.iterdir()] == ["buffer.npz"]


def test_another_capacity_keeps_the_newest() -> None:
    state = filled(25).state()
    assert ReplayBuffer.restored(state, 4).rows()[:, 0].tolist() == [21, 22, 23, 24]
    grown = ReplayBuffer.restored(state, 20)
    assert grown.rows()[-10:, 0].tolist() == list(range(15, 25)) and grown.pushed == 25


def test_one_thread_pushes_while_another_draws() -> None:
    buffer, torn = filled(1, capacity=64, width=50), []
    done = threading.Event()

    def draw() -> None:
        random = np.random.default_rng(0)
        while not done.is_set():
            drawn = buffer.sample_recent(32, random, recent=16)
            torn.extend(drawn[(drawn != drawn[:, :1]).any(axis=1)])

    reader = threading.Thread(target=draw)
    reader.start()
    for number in range(20_000):
        buffer.push(np.full(50, number))
    done.set()
    reader.join()
    assert not torn and buffer.pushed == 20_001

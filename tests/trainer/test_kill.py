"""kill -9 at any moment: what was acknowledged is there afterwards, once."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.trainer.conftest import Connected, Served, request
from vmaftune.trainer.segments import find_segments, read_segment
from vmaftune.trainer.spool import SpoolLimits
from vmaftune.trainer.training import Pace

# Small, so that files begin and end, and snapshots are made, all the time; but more ids than come while a sender is away.
PACE = Pace(look_seconds=0.01, snapshot_seconds=0.03)
SPOOL = SpoolLimits(segment_bytes=30_000, remembered=5000)
WINDOW = 200
"""Samples on their way at once."""


class Sender(threading.Thread):
    """Sends samples as fast as it can until the service dies; then again, in the next round, what was not acknowledged."""

    def __init__(self, name: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.unanswered: list[str] = []
        self._prefix, self._made = name, 0

    def serve(self, served: Served) -> None:
        """One life of the service."""
        try:
            connected = Connected(served.socket)
            sent = 0
            while True:
                while len(self.unanswered) < WINDOW:
                    self._made += 1
                    self.unanswered.append(f"{self._prefix}-{self._made}")
                connected.send(b"".join(request(sample_id) for sample_id in self.unanswered[sent:]))
                sent = len(self.unanswered)
                for _ in range(random.randint(1, sent)):
                    if (answer := connected.answer()) is None:
                        return
                    assert answer["ok"], answer
                    self.acknowledged.append(self.unanswered.pop(0))
                    sent -= 1
        except OSError:
            return


@pytest.mark.parametrize("seed", range(2))
def test_no_acknowledged_sample_is_lost_or_counted_twice(served: Served, seed: int) -> None:
    chance = random.Random(seed)
    senders = [Sender(f"s{n}") for n in range(2)]
    for _ in range(25):
        process = served.start(pace=PACE, spool=SPOOL)
        threads = [threading.Thread(target=sender.serve, args=(served,), daemon=True) for sender in senders]
        for thread in threads:
            thread.start()
        time.sleep(chance.choice((0.003, 0.03, 0.15)) * chance.random())
        assert process.poll() is None
        served.kill()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
    served.start(pace=PACE, spool=SPOOL)
    for sender in senders:  # what came after the last answer may be known or not; sent again, it counts once
        connected = served.connect()
        connected.send(b"".join(map(request, sender.unanswered)))
        assert all(connected.answer()["ok"] for _ in sender.unanswered)
    assert served.stop() == 0
    sent = [sample_id for sender in senders for sample_id in (*sender.acknowledged, *sender.unanswered)]
    assert len(sent) > 1000
    assert sorted(served.held().ids) == sorted(sent)
    assert not [event for event in served.log() if event["level"] == "error" or event["event"] == "spool damaged"]
    for _, path in find_segments(served.folder / "spool"):
        found, length = read_segment(path)
        assert None not in found and length == path.stat().st_size

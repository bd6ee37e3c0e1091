"""It ends in time, goes on where it was, and survives a full disk, a failing learner and a clock that is set back."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer.conftest import Served, request
from tests.trainer.counting import SNAPSHOT, CountingLearner, held_in
from vmaftune.contract.learner import Published, Sample
from vmaftune.trainer.log import Log
from vmaftune.trainer.messages import Request, parse
from vmaftune.trainer.service import steady_clock
from vmaftune.trainer.spool import Spool, SpoolLimits
from vmaftune.trainer.training import Pace, Training
from vmaftune.trainer.waiting import WaitingRoom


def flood(served: Served, stop: threading.Event, acknowledged: list[str]) -> None:
    """Sends until it cannot."""
    connected, number = served.connect(), 0
    try:
        while not stop.is_set():
            ids = [f"flood-{number + n}" for n in range(100)]
            connected.send(b"".join(map(request, ids)))
            for sample_id in ids:
                if (answer := connected.answer()) is None:
                    return
                assert answer["ok"]
                acknowledged.append(sample_id)
            number += 100
    except OSError:
        return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("step_seconds", [0.0, 60.0])
def test_it_ends_without_waiting_for_a_step(served: Served, number: int, step_seconds: float) -> None:
    process = served.start(step_seconds=step_seconds)
    acknowledged: list[str] = []
    stop = threading.Event()
    thread = threading.Thread(target=flood, args=(served, stop, acknowledged))
    thread.start()
    time.sleep(0.3)
    process.send_signal(number)
    assert process.wait(40) == 0, "a step of 60 seconds is not waited for"
    stop.set()
    thread.join()
    assert acknowledged
    served.start()  # with a step that never ended there was no snapshot, and the spool has it all
    assert served.stop() == 0
    ids = served.held().ids
    assert set(acknowledged) <= set(ids) and len(ids) == len(set(ids))


def test_it_ends_at_once_while_it_begins(served: Served) -> None:
    process = served.launch(restore_seconds=60.0)
    until = time.monotonic() + 60
    while not (served.folder / "spool").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    process.terminate()
    assert process.wait(5) == 0
    assert served.errors.read_text() == ""


def test_a_restart_goes_on_where_it_was(served: Served) -> None:
    for life in range(3):
        served.start()
        connected = served.connect()
        connected.send(b"".join(request(f"{life}-{n}") for n in range(100)))
        assert all(connected.answer()["ok"] for _ in range(100))
        until = time.monotonic() + 60
        while served.status().step < 100 * (life + 1):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert served.status().taken == 100 * (life + 1)
        assert served.stop() == 0
    assert served.held().steps == 300


def test_a_lost_snapshot_is_made_up_for_from_the_spool(served: Served) -> None:
    for _ in range(2):
        served.start()
        connected = served.connect()
        connected.send(b"".join(request(f"a-{n}") for n in range(50)))
        assert all(connected.answer()["ok"] for _ in range(50))
        assert served.stop() == 0
        assert len(served.held().ids) == 50
        (served.folder / "counting.json").unlink()


def test_a_lost_spool_does_no_harm(served: Served) -> None:
    for life in range(3):
        served.start()
        assert served.connect().say(request(f"life-{life}"))["ok"]
        assert served.stop() == 0
        for path in (served.folder / "spool").iterdir():
            path.unlink()
    assert served.held().ids == ["life-0", "life-1", "life-2"]


def test_a_folder_that_is_removed_is_made_again(served: Served) -> None:
    served.start()
    connected = served.connect()
    assert connected.say(request("before"))["ok"]
    shutil.rmtree(served.folder)
    assert connected.say(request("after"))["ok"]
    served.kill()
    served.start()
    assert served.stop() == 0
    assert served.held().ids == ["after"]


def test_a_learner_that_fails_does_not_end_the_service(served: Served) -> None:
    served.start(fails=True)
    connected = served.connect()
    assert connected.say(request("a"))["ok"]
    time.sleep(0.5)
    assert connected.say(request("b"))["ok"]
    status = served.status()
    assert status.training_errors > 0 and "the weights are no numbers" in status.last_error
    assert served.stop() == 0
    assert served.held().ids == ["a", "b"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(served: Served) -> tuple[list[str], str]:
    """Send until the disk is full: the ids that were taken, and the first refusal."""
    connected, taken = served.connect(), []
    for number in range(10_000):
        answer = connected.say(request(f"fill-{number}"))
        if not answer["ok"]:
            assert answer["retry"] is True
            return taken, answer["error"]
        taken.append(f"fill-{number}")
    raise AssertionError("the disk is not full")


def test_a_full_disk_is_said_and_survived(served: Served, small_disk: Path) -> None:
    served.folder = small_disk / "state"
    blocker = small_disk / "blocker"
    blocker.write_bytes(b"x" * 100_000)
    served.start()
    taken, error = fill(served)
    assert error == "the sample could not be kept: No space left on device"
    connected = served.connect()
    assert not connected.say(request("still"))["ok"]
    blocker.unlink()
    assert connected.say(request("again"))["ok"], "there is room again"
    served.kill()
    served.start()
    assert served.stop() == 0
    assert served.held().ids == [*taken, "again"]


def test_a_file_that_may_not_grow_is_said(served: Served) -> None:
    served.start(largest_file_bytes=100_000)
    taken, error = fill(served)
    assert "could not be kept: File too large" in error and len(taken) > 100
    served.kill()
    served.start()
    assert served.stop() == 0
    assert served.held().ids == taken


def test_a_spool_that_no_snapshot_empties_is_bounded(served: Served) -> None:
    served.start(spool=SpoolLimits(total_bytes=50_000))
    _, error = fill(served)
    assert "the spool is full" in error


def test_segments_go_when_the_snapshot_covers_them(served: Served) -> None:
    limits = SpoolLimits(segment_bytes=20_000, remembered=200)
    served.start(spool=limits, pace=Pace(look_seconds=0.02, snapshot_seconds=0.02))
    connected = served.connect()
    for turn in range(20):
        connected.send(b"".join(request(f"{turn}-{n}") for n in range(100)))
        assert all(connected.answer()["ok"] for _ in range(100))
        time.sleep(0.02)
    until = time.monotonic() + 60
    while served.status().spool_segments > 6:
        assert time.monotonic() < until, served.status()
        connected.say(request(f"more-{time.monotonic()}"))
        time.sleep(0.05)
    assert served.status().spool_bytes < 200_000


def test_what_waited_is_taken_in_once(served: Served) -> None:
    room = WaitingRoom(served.waiting)
    assert room.append([request(f"wait-{n}") for n in range(10)]) == 10
    with (served.waiting / "waiting.jsonl").open("ab") as file:
        file.write(b'{"v":1,"id":"torn')  # of a client that was killed
    assert room.append([request("wait-10")]) == 1
    served.start()
    assert served.status().taken == 11
    served.kill()
    left = [path.name for path in served.waiting.iterdir()]
    assert "waiting.jsonl" not in left and "waiting.jsonl.taking" not in left
    (served.waiting / "waiting.jsonl.taking").write_bytes(request("wait-3") + request("wait-11"))  # killed on the way
    served.start()
    assert served.stop() == 0
    assert served.held().ids == [f"wait-{n}" for n in range(12)]


def test_a_clock_that_is_set_back_changes_nothing(tmp_path: Path) -> None:
    wall = [1.79e9]
    clock = steady_clock(lambda: wall[0])
    before = clock()
    wall[0] -= 3e7
    assert 0.0 <= clock() - before < 5.0

    checked: list[float] = []

    class Watched(CountingLearner):
        def checkpoint(self, unix_seconds: float, *, force: bool = False) -> None:  # type: ignore[override]
            checked.append(unix_seconds)

    training = Training(Watched(tmp_path), Log(), clock, lambda taken: None, Pace(look_seconds=0.01))
    training.start()
    for _ in range(10):
        time.sleep(0.03)
        wall[0] -= 3600
        training.ingested(1, time.monotonic())
    training.stop()
    training.join(5)
    assert len(checked) >= 5 and checked == sorted(checked)


def test_metrics(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "trainer.prom"
    served.start(metrics_port=0, metrics_file=str(file))
    assert served.connect().say(request("a"))["ok"]
    port = next(event["port"] for event in served.log() if event["event"] == "metrics")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE vmaftune_trainer_acknowledged_total counter\nvmaftune_trainer_acknowledged_total 1\n" in text
    assert "\nvmaftune_trainer_durable 1\n" in text
    assert served.stop() == 0
    assert "vmaftune_trainer_taken_total 1\n" in file.read_text()


def test_metrics_that_cannot_be_written_are_said_once(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    served.start(metrics_file=str(tmp_path / "file" / "trainer.prom"))
    connected = served.connect()
    assert connected.say(request("a"))["ok"]
    time.sleep(1.5)
    assert served.stop() == 0  # it tries once more at the end
    said = [event for event in served.log() if event["event"] == "no metrics"]
    assert len(said) == 1 and "NotADirectoryError" in said[0]["error"], said


def test_a_checkpoint_is_followed_by_a_snapshot(tmp_path: Path) -> None:
    """It knows when the checkpoint was made; after a kill there would else be another one too soon."""

    class Publishing(CountingLearner):
        def checkpoint(self, unix_seconds: float, *, force: bool = False) -> Published | None:
            return super().checkpoint(unix_seconds, force=self.statistics().step == 3)

    learner = Publishing(tmp_path)
    training = Training(learner, Log(), time.time, lambda taken: None, Pace(look_seconds=0.0))
    training.start()
    learner.ingest([_sample("a"), _sample("b"), _sample("c")])
    training.ingested(3, time.monotonic())
    until = time.monotonic() + 60
    while not (tmp_path / SNAPSHOT).exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert held_in(tmp_path).steps == 3
    training.stop()
    training.join(5)


def _sample(sample_id: str) -> Sample:
    message = parse(request(sample_id))
    assert isinstance(message, Request)
    return message.sample(1.79e9)


def test_ids_are_known_again_after_a_restart_as_long_as_promised(tmp_path: Path) -> None:
    limits = SpoolLimits(segment_bytes=2000, remembered=100)
    spool = Spool(tmp_path, limits=limits)
    for number in range(400):
        spool.append([_sample(f"s{number}")])
        spool.covered(spool.taken)
    spool.close()
    for number in range(300, 400):
        assert Spool(tmp_path, limits=limits).append([_sample(f"s{number}")]) == []
    assert len(Spool(tmp_path, limits=limits).append([_sample("s0")])) == 1


def test_a_line_that_rotted_costs_no_other(tmp_path: Path) -> None:
    def samples(*ids: str) -> list[Sample]:
        return [_sample(sample_id) for sample_id in ids]

    spool = Spool(tmp_path)
    spool.append(samples("a", "b", "c"))
    spool.close()
    path = next(tmp_path.iterdir())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"93.5", b"39.5") + lines[2] + b"0000abcd {torn")
    spool = Spool(tmp_path)
    assert [sample.id for sample in spool.samples(0)] == ["a", "c"]
    assert (spool.taken, spool.damaged, spool.cut_bytes) == (3, 1, 14)
    assert [sample.id for sample in spool.append(samples("c", "d", "d"))] == ["d"]
    spool.close()
    assert [sample.id for sample in Spool(tmp_path).samples(2)] == ["c", "d"]

"""Several learners at once lose and double nothing, and one that is killed between any two system calls leaves whole files."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import random
import shutil
import signal
import time
import uuid
from pathlib import Path

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_settings import Settings
from vmaftune_plugins.sidecars.ridge_state import State

from tests.sidecars.conftest import VERSION, Make, capture, learn, random_source, statistics
from tests.sidecars.learners import learn_all, learn_and_be_killed, learn_until_killed
from vmaftune.contract import Capture

needs_fork = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="SIGKILL and fork are POSIX"
)


def _captures(sources: int, seed: int, scores: int = 4) -> list[Capture]:
    """Captures of sources that no other seed gives, in four presets."""
    numbers = np.random.default_rng(seed)
    made = []
    for number in range(sources):
        source, preset = random_source(numbers), ("fast", "medium", "slow", "veryslow")[number % 4]
        crfs = numbers.uniform(10.0, 46.0, scores)
        made += [capture(float(crf), numbers.normal(1.0, 2.0), source=source, preset=preset) for crf in crfs]
    return made


def test_eight_processes_learn_exactly_what_one_does(make: Make, tmp_path: Path) -> None:
    parts = [_captures(12, seed) for seed in range(8)]
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=learn_all, args=(tmp_path / "sidecar", part, 400)) for part in parts]
    for worker in workers:
        worker.start()
    alone = learn(make(folder="alone", settings=Settings(history_rows=400)), itertools.chain(*parts))
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    together, single = make().state("libx264"), alone.state("libx264")
    assert together.captures == 384 and together.sources == 96
    assert together.history == single.history and statistics(together) == statistics(single)


@needs_fork
def test_a_learner_killed_at_any_moment_loses_nothing_that_it_learned(make: Make, tmp_path: Path) -> None:
    fork = _forkserver()
    moments = random.Random(5)
    captures = _captures(200, 1)
    learned = 0
    for _ in range(30):
        told, tells = fork.Pipe(duplex=False)
        child = fork.Process(target=learn_until_killed, args=(tmp_path / "sidecar", captures[learned:], tells))
        child.start()
        tells.close()
        said, wanted = told.recv(), moments.randrange(3)
        while said < wanted:
            said = told.recv()
        time.sleep(moments.uniform(0.0, 0.03))
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        with contextlib.suppress(EOFError):
            while True:
                said = told.recv()
        kept = make().state("libx264").captures
        assert kept - learned in (said, said + 1)
        learned = kept
    assert learned >= 20
    make().learn(captures[learned])
    assert make().state("libx264").captures == learned + 1


@needs_fork
@pytest.mark.parametrize("known", [0, 3, 16])
def test_a_learner_killed_between_any_two_system_calls_learned_all_of_a_capture_or_nothing(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], known: int
) -> None:
    *before, new, later = [msgspec.structs.replace(c, preset="medium") for c in _captures(5, 2)][: known + 2]
    template = make(folder="template", settings=Settings(history_rows=500))
    without = _named_alike(learn(template, before).state("libx264"))
    fork = _forkserver()
    outcomes = []
    for calls in itertools.count():
        folder = tmp_path / str(calls)
        if before:
            shutil.copytree(tmp_path / "template", folder)
        child = fork.Process(target=learn_and_be_killed, args=(folder, new, calls))
        child.start()
        child.join()
        found = make(folder=str(calls), settings=Settings(history_rows=500))
        state = found.state("libx264")
        outcomes.append(state.captures - known)
        if outcomes[-1] == 0:
            assert _named_alike(state) == without
        if (folder / "host_uuid").exists():
            assert uuid.UUID((folder / "host_uuid").read_text()).version == 4
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        found.learn(later)  # no lock is in its way
        after = found.state("libx264")
        assert after.captures == state.captures + 1 and after.host_uuid == (folder / "host_uuid").read_text()
        shutil.rmtree(folder)
    assert state == msgspec.structs.replace(
        learn(make(folder="whole", settings=Settings(history_rows=500)), [*before, new]).state("libx264"),
        host_uuid=state.host_uuid,
    )
    assert outcomes == sorted(outcomes) and set(outcomes) == {0, 1}
    assert len(outcomes) > 20, "a learn calls the system that often at least"
    assert capsys.readouterr().out == "", "no file was set aside"


def _named_alike(state: State) -> State:
    return msgspec.structs.replace(state, host_uuid="")


def test_what_a_killed_writer_left_is_removed(make: Make, state_path: Path) -> None:
    correction = learn(make(), _captures(1, 3))
    left, of_another = (state_path.with_name(name) for name in (".state.json.tmp", ".another.json.tmp"))
    for file in (left, of_another):
        file.write_bytes(b"half")
    learn(correction, _captures(1, 4))
    assert not left.exists() and of_another.exists()


def _forkserver() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.sidecars.learners"])
    return context


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    correction = RidgeCorrection(Settings(), tmp_path / "file" / "sidecar", VERSION, print)
    assert correction.state("libx264").captures == 0 and correction.states() == []
    with pytest.raises(OSError, match="nothing is learned"):
        correction.learn(capture(23.0, 1.0))

"""State files: whole, shared, anonymous, bounded; and what becomes of those that cannot be used."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from vmaftune_plugins.sidecars.ridge import EncoderOptions, Settings
from vmaftune_plugins.sidecars.ridge_correction import COLUMNS, RidgeCorrection
from vmaftune_plugins.sidecars.ridge_state import State

from tests.sidecars.conftest import VERSION, Make, capture, context, prediction
from vmaftune.config.validate import validated
from vmaftune.errors import UserError


def _state(path: Path) -> State:
    return msgspec.json.decode(path.read_bytes(), type=State)


def _captures(count: int, seed: int) -> list[tuple[float, float, float]]:
    """CRF, residual and feature offset in quarters: sums of them are exact in floating point."""
    chosen = random.Random(seed)
    return [(chosen.choice([10.0, 19.0, 28.0, 46.0]), chosen.randint(-8, 8) / 4, 0.0) for _ in range(count)]


def _learn_many(folder: str, captures: list[tuple[float, float, float]]) -> None:
    correction = RidgeCorrection(Settings(), Path(folder), VERSION, print)
    for crf, residual, offset in captures:
        correction.learn(capture(crf, residual, offset=offset))


def test_processes_that_learn_at_once_lose_and_double_nothing(make: Make, state_path: Path, tmp_path: Path) -> None:
    parts = [_captures(40, seed) for seed in range(4)]
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_learn_many, args=(str(tmp_path / "sidecar"), part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [w.exitcode for w in workers] == [0] * 4
    alone = make(folder=tmp_path / "alone")
    for part in parts:
        for crf, residual, offset in part:
            alone.learn(capture(crf, residual, offset=offset))
    together, single = _state(state_path), _state(tmp_path / "alone" / VERSION / "libx264" / "state.json")
    assert together.captures == single.captures == 160
    assert together.gram == single.gram and together.moment == single.moment


def test_a_learner_killed_at_any_moment_leaves_a_whole_file(state_path: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from tests.sidecars.test_ridge_state import _learn_many, _captures\n"
        "print('go', flush=True)\n"
        "while True: _learn_many(sys.argv[1], _captures(50, 1))"
    )
    root = str(Path(__file__).parents[2])
    for moment in (0.01, 0.03, 0.06, 0.1, 0.15):
        learner = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "sidecar"), root], stdout=subprocess.PIPE, cwd=root
        )
        assert learner.stdout is not None and learner.stdout.readline() == b"go\n"
        time.sleep(moment)
        os.kill(learner.pid, signal.SIGKILL)
        learner.wait()
        if state_path.exists():
            state = _state(state_path)
            assert np.array(state.gram)[0, 0] == state.captures, "the level column counts captures"
    _learn_many(str(tmp_path / "sidecar"), [(23.0, 1.0, 0.0)])
    assert _state(state_path).captures >= 1


def test_the_state_names_no_source_and_no_host(make: Make, state_path: Path) -> None:
    make().learn(capture(23.0, 1.0))
    state = json.loads(state_path.read_text())
    assert set(state) == {
        *("schema_version", "predictor_version", "host_uuid", "feature_names"),
        *("gram", "moment", "captures", "squared_residuals", "history"),
    }
    assert set(state["history"][0]) == {"features", "residual", "timestamp"}
    assert state["feature_names"] == list(COLUMNS)


def test_history_is_a_ring_of_500_and_statistics_hold_them_all(make: Make, state_path: Path) -> None:
    correction = make()
    for number in range(510):
        correction.learn(capture(23.0, 1.0, at=float(number)))
    state = _state(state_path)
    assert state.captures == 510 and len(state.history) == 500
    assert state.history[0].timestamp == 10.0 and state.history[-1].timestamp == 509.0
    assert state_path.stat().st_size < 1 << 20


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"schema_version": 1}',
        b"[1, 2]",
    ],
)
def test_a_corrupt_state_is_set_aside_and_learning_begins_anew(
    make: Make, state_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    state_path.parent.mkdir(parents=True)
    state_path.write_bytes(content)
    assert not make().correct(context(), prediction(361)).shift.any()
    aside = state_path.with_name("state.json.set-aside")
    assert aside.read_bytes() == content
    assert "set aside" in capsys.readouterr().out
    make().learn(capture(23.0, 1.0))
    assert _state(state_path).captures == 1


@pytest.mark.parametrize("change", [{"schema_version": 99}, {"feature_names": ["level"]}, {"moment": [1.0]}])
def test_a_state_of_another_make_is_set_aside_not_deleted(
    make: Make, state_path: Path, change: dict[str, object]
) -> None:
    make().learn(capture(23.0, 1.0))
    state = json.loads(state_path.read_text())
    state_path.write_text(json.dumps({**state, **change}))
    later = state_path.read_bytes()
    make().learn(capture(23.0, 2.0))
    assert state_path.with_name("state.json.set-aside").read_bytes() == later
    assert _state(state_path).captures == 1


def test_each_encoder_has_its_own_state(make: Make, tmp_path: Path) -> None:
    correction = make()
    correction.learn(capture(23.0, 3.0))
    asked = context(encoder="libx265")
    assert not correction.correct(asked, prediction(len(asked.crfs))).shift.any()
    assert not (tmp_path / "sidecar" / VERSION / "libx265").exists()


def test_settings_per_encoder_are_in_force(make: Make, state_path: Path) -> None:
    settings = Settings(
        encoders={"libx264": EncoderOptions(max_correction=0.5), "libx265": EncoderOptions(enabled=False)}
    )
    correction = make(settings=settings)
    for _ in range(20):
        correction.learn(capture(23.0, 8.0))
        correction.learn(capture(23.0, 8.0, encoder="libx265"))
    assert correction.correct(context(), prediction(361)).shift.max() == 0.5
    assert not (state_path.parents[1] / "libx265").exists()


@pytest.mark.parametrize(
    "table",
    [
        {"lambda": 0},
        {"lambda": "1"},
        {"history-rows": -1},
        {"max-correction": 41},
        {"lamda": 1.0},
        {"encoders": {"libx264": {"enabled": 1}}},
        {"encoders": {"libx264": {"forget": True}}},
    ],
)
def test_wrong_settings_are_refused_with_file_and_key(table: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"mine\.toml: .*plugins\.ridge-sidecar"):
        validated(table, Settings, "mine.toml", "plugins.ridge-sidecar")


def test_a_folder_that_cannot_be_written_is_said(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    correction = make(folder=tmp_path / "file" / "sidecar")
    assert not correction.correct(context(), prediction(361)).shift.any()
    with pytest.raises(OSError, match="nothing is learned"):
        correction.learn(capture(23.0, 1.0))


def test_learning_from_one_source_carries_over_to_a_like_one_more_than_to_an_unlike_one(make: Make) -> None:
    correction = make()
    for crf in (18.0, 23.0, 28.0):
        correction.learn(capture(crf, 4.0, offset=1.0))
    at = int(np.argmin(np.abs(context().crfs - 23.0)))
    like = correction.correct(context(1.0), prediction(361)).shift[at]
    unlike = correction.correct(context(-1.0), prediction(361)).shift[at]
    assert 2.0 < like <= 4.0 and 0.0 < unlike < like

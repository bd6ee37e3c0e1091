"""The five contract tests of ADR-0394."""

from __future__ import annotations

import platform
import uuid
from itertools import pairwise
from pathlib import Path

import numpy as np
from vmaftune_plugins.sidecars.ridge_correction import RidgeCorrection
from vmaftune_plugins.sidecars.ridge_state import host_uuid

from tests.sidecars.conftest import VERSION, Make, capture, context, prediction


def _shift(correction: RidgeCorrection, offset: float = 0.0) -> np.ndarray:
    asked = context(offset)
    return correction.correct(asked, prediction(len(asked.crfs))).shift


def test_a_cold_start_passes_through(make: Make) -> None:
    adjustment = make().correct(context(), prediction(361))
    assert adjustment.captures == 0
    assert adjustment.shift.tobytes() == np.zeros(361).tobytes(), "exactly 0.0, bit for bit"


def test_an_update_reduces_the_residual(make: Make) -> None:
    correction = make()
    left = [3.0]
    for _ in range(5):
        correction.learn(capture(23.0, 3.0))
        index = int(np.argmin(np.abs(context().crfs - 23.0)))
        left.append(3.0 - float(_shift(correction)[index]))
    assert all(later < earlier for earlier, later in pairwise(left))
    assert abs(left[-1]) < 0.6


def test_save_and_load_give_the_same_correction(make: Make) -> None:
    first = make()
    for crf, residual in ((18.0, -1.0), (23.0, 2.0), (30.0, 4.0)):
        first.learn(capture(crf, residual, offset=0.5))
    assert _shift(make(), 0.5).tobytes() == _shift(first, 0.5).tobytes()


def test_the_uuid_is_stable_and_anonymous(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    made = host_uuid(first)
    assert host_uuid(first) == made, "the same at every call"
    assert host_uuid(second) != made, (
        "another installation on the same machine has another one: it is not derived from it"
    )
    assert uuid.UUID(made).version == 4
    assert platform.node() not in made and f"{uuid.getnode():012x}" not in made.replace("-", "")


def test_a_new_predictor_version_starts_cold_and_leaves_the_old_state_alone(make: Make, state_path: Path) -> None:
    old = make()
    old.learn(capture(23.0, 3.0))
    before = state_path.read_bytes()
    new = make("population_v2-12345678")
    assert not _shift(new).any()
    new.learn(capture(23.0, -1.0))
    assert state_path.read_bytes() == before
    assert _shift(make(VERSION)).any()
    uuids = {p.read_text().strip() for p in state_path.parents[2].glob("host_uuid")}
    assert len(uuids) == 1 and all(u in before.decode() for u in uuids), "the identifier is kept across versions"
    assert (state_path.parents[2] / "population_v2-12345678" / "libx264" / "state.json").exists()

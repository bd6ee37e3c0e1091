"""The five contract tests of ADR-0394."""

from __future__ import annotations

import platform
import uuid
from itertools import pairwise
from pathlib import Path

import numpy as np
from vmaftune_plugins.sidecars.statefile import host_uuid

from tests.sidecars.conftest import TEN, VERSION, Make, adjustment, capture, learn, on_ten_sources, shift


def test_a_cold_start_passes_through(make: Make) -> None:
    made = adjustment(make())
    assert made.captures == 0 and made.covariance is None and made.note is None
    assert made.shift.tobytes() == np.zeros(len(made.shift)).tobytes(), "exactly 0.0, bit for bit"


def test_an_update_reduces_the_residual(make: Make) -> None:
    correction = make()
    left = [3.0]
    learn(correction, [capture(28.0, 3.0, source=source) for source in TEN[6:8]])
    for source in TEN[:6]:
        correction.learn(capture(28.0, 3.0, source=source))
        left.append(3.0 - float(shift(correction)[9]))
    assert all(later < earlier for earlier, later in pairwise(left))
    assert abs(left[-1]) < 0.6


def test_save_and_load_give_the_same_correction(make: Make) -> None:
    first = make()
    for source, residual in ((0.5, -1.0), (-0.5, 2.0), (0.0, 4.0)):
        learn(first, [capture(crf, residual, source=source) for crf in (18.0, 30.0)])
    loaded = adjustment(make(), 0.5)
    assert loaded.shift.any()
    assert loaded.shift.tobytes() == adjustment(first, 0.5).shift.tobytes()
    assert loaded.covariance.tobytes() == adjustment(first, 0.5).covariance.tobytes()


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
    learn(make(), on_ten_sources(3.0))
    before = state_path.read_bytes()
    new = make("population_v2-12345678")
    cold = adjustment(new)
    assert not cold.shift.any() and cold.covariance is None and cold.captures == 0
    learn(new, on_ten_sources(-1.0)[:2])
    assert state_path.read_bytes() == before
    assert (shift(make(VERSION)) > 2.0).all()
    uuids = {p.read_text().strip() for p in state_path.parents[2].glob("host_uuid")}
    assert len(uuids) == 1 and all(u in before.decode() for u in uuids), "the identifier is kept across versions"
    assert (state_path.parents[2] / "population_v2-12345678" / "libx264" / "state.json").exists()

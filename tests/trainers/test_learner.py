"""The learner: the same samples give the same weights, a restart changes nothing, and what is of no use is counted."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.trainers.conftest import Learners, sample, stream
from vmaftune.contract.learner import Sample
from vmaftune.corpus.rows import CorpusRow
from vmaftune.errors import UserError
from vmaftune.quality.scale import Scale

if TYPE_CHECKING:
    from vmaftune_plugins.trainers.learner import SgdEmaLearner


def trained(learner: SgdEmaLearner, samples: list[Sample], at_once: int = 1) -> SgdEmaLearner:
    for first in range(0, len(samples), at_once):
        learner.ingest(samples[first : first + at_once])
        while learner.train():
            pass
    return learner


def whole_state(learner: SgdEmaLearner) -> dict[str, Any]:
    """All that training depends on."""
    parts = {"descent": learner._descent, "buffer": learner._buffer, "held_out": learner._held_out}
    arrays = {f"{name}.{key}": value.tobytes() for name, part in parts.items() for key, value in part.state().items()}
    return {**arrays, "random": learner._random.bit_generator.state}


@pytest.mark.parametrize("settings", [{}, {"optimiser": "adam", "loss": "mse"}, {"ewc": 0.1, "rehearsal": 0.0}])
def test_the_same_samples_give_the_same_weights_however_they_arrive(
    learner: Learners, rows: list[CorpusRow], settings: dict[str, Any]
) -> None:
    samples = stream(rows, 30)
    one_by_one = whole_state(trained(learner("a", **settings), samples))
    assert whole_state(trained(learner("b", **settings), samples, at_once=30)) == one_by_one
    assert whole_state(trained(learner("c", **settings, seed=1), samples)) != one_by_one


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_a_restart_goes_on_bit_for_bit(learner: Learners, rows: list[CorpusRow], optimiser: str) -> None:
    samples = stream(rows, 80)
    samples[5] = sample(rows[0], encoder="libnone")
    through = trained(learner("through", optimiser=optimiser), samples)
    before = trained(learner("stopped", optimiser=optimiser), samples[:45])
    before.snapshot()
    after = learner("stopped", optimiser=optimiser)
    assert after.restore() == 45 and after.statistics() == before.statistics()
    trained(after, samples[45:])
    assert whole_state(after) == whole_state(through)
    assert after.left_out == through.left_out == {"unknown encoder": 1}
    own = after.statistics()
    assert (own.taken, own.step, own.loss) == (80, through.statistics().step, through.statistics().loss)


def test_without_a_snapshot_it_begins_with_the_weights_of_the_model(learner: Learners) -> None:
    new = learner()
    assert new.restore() == 0 and not new.train()
    assert (new._descent.average == new.network.theta).all()
    assert new.statistics().loss is None and new.statistics().trained_unix_seconds is None


@pytest.mark.parametrize("damage", ["cut", "noise", "other model", "a part is missing"])
def test_a_snapshot_that_cannot_be_used_is_set_aside(
    learner: Learners, rows: list[CorpusRow], tmp_path: Path, damage: str
) -> None:
    old = trained(learner(), stream(rows, 12))
    if damage == "other model":
        old._progress.base = "mlp_v0-00000000"
    if damage == "a part is missing":
        parts = old._parts()
        old._parts = lambda: {"descent": parts["descent"]}  # type: ignore[method-assign]
    old.snapshot()
    path = tmp_path / "trainer" / "learner.npz"
    content = path.read_bytes()
    path.write_bytes({"cut": content[:-200], "noise": b"nonsense"}.get(damage, content))
    new = learner()
    assert new.restore() == 0 and new.statistics().step == 0 and new.statistics().buffered == 0
    assert [p.name for p in path.parent.iterdir()] == ["learner.npz.set-aside"]


def test_a_failed_snapshot_leaves_the_one_before(
    learner: Learners, rows: list[CorpusRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = trained(learner(), stream(rows, 12))
    one.snapshot()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    trained(one, stream(rows, 5, seed=1))
    with pytest.raises(OSError, match="No space"):
        one.snapshot()
    monkeypatch.undo()
    assert learner().restore() == 12


def test_what_is_of_no_use_is_counted_as_taken_and_left_out(learner: Learners, rows: list[CorpusRow]) -> None:
    one = learner()
    row = rows[0]
    one.ingest(
        [
            sample(row),
            sample(row, encoder="libnone"),
            sample(row, preset="placebo"),
            sample(row, features=(math.nan, *row.features[1:])),
            sample(row, true_score=math.nan),
            sample(row, scale=Scale(pool="p5")),
            sample(row, scale=Scale(metric="xpsnr", model="", depth=8), true_score=41.0),
        ]
    )
    assert one.left_out["another scale"] == 2
    assert sum(one.left_out.values()) == 6 and one.statistics().taken == 7
    assert one.statistics().since_checkpoint == 1
    while one.train():
        pass
    assert np.isfinite(one._descent.average).all()


def test_the_held_out_slice_is_split_by_source_and_never_trained_on(learner: Learners, rows: list[CorpusRow]) -> None:
    from vmaftune_plugins.trainers.encoded import source_of

    one = learner(held_out=0.3)
    one.ingest(stream(rows, 300))
    held = {source_of(row) for row in one._held_out.rows()}
    trained_on = {source_of(row) for row in one._buffer.rows()}
    assert held and trained_on and not held & trained_on
    assert len(one._held_out) + len(one._buffer) == 300


def test_a_backlog_of_half_the_buffer_is_left_to_replay(learner: Learners, rows: list[CorpusRow]) -> None:
    one = learner(buffer=64)
    one.ingest(stream(rows, 400))
    steps = 0
    while one.train():
        steps += 1
    assert steps == 33 and one.statistics().buffered == 64


def test_ingesting_does_not_wait_for_a_step(learner: Learners, rows: list[CorpusRow]) -> None:
    one, samples = learner(), stream(rows, 600)
    feeder = threading.Thread(target=lambda: [one.ingest([each]) for each in samples])
    feeder.start()
    while feeder.is_alive():
        one.train()
    while one.train():
        pass
    assert one.statistics().taken == 600 and one.statistics().step == one._buffer.pushed


def test_training_follows_the_stream(learner: Learners, rows: list[CorpusRow]) -> None:
    one = learner(rehearsal=0.0, learning_rate=0.005)
    samples = stream(rows[:40], 200, shift=-6.0)
    one.ingest(samples)
    held = one._buffer.rows()
    before = np.abs(one.network.predicted(one.network.theta, held) - held[:, -1]).mean()
    while one.train():
        pass
    after = np.abs(one.network.predicted(one._descent.average, held) - held[:, -1]).mean()
    assert after < 0.7 * before


def test_the_first_steps_are_small_and_gradients_are_clipped(learner: Learners, rows: list[CorpusRow]) -> None:
    one = learner(learning_rate=0.01)
    one.ingest(stream(rows, 20))
    one.train()
    moved = np.linalg.norm(one._descent.state()["theta"] - one.network.theta)
    assert 0 < moved <= 0.01 / 100 * 1.001
    assert one._descent.average == pytest.approx(one._descent.state()["theta"], abs=1e-6), "bias-corrected at the start"


def test_a_batch_without_a_gradient_is_skipped(learner: Learners, rows: list[CorpusRow]) -> None:
    one = trained(learner(), stream(rows, 5))
    before = one._descent.state()
    poisoned = one._buffer.rows()
    poisoned[0, 0] = np.nan
    assert one._descent.train(poisoned) is None and one._descent.skipped == 1
    assert (one._descent.state()["theta"] == before["theta"]).all()


def test_a_model_that_cannot_be_trained_is_one_line(learner: Learners) -> None:
    with pytest.raises(UserError, match="no model 'yours' is registered"):
        learner(model="yours")
    with pytest.raises(UserError, match="begins with a model that stays the same"):
        learner(model="latest-stable")

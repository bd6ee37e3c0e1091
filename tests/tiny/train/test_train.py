"""All folds at once give what each would alone; the same seed gives the same bits; training learns."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from tests.tiny.build import made_table, teacher
from vmaftune.tiny import train as training
from vmaftune.tiny.architectures import ARCHITECTURES
from vmaftune.tiny.folds import Fold, leave_one_source_out
from vmaftune.tiny.recipes import RECIPES, Recipe
from vmaftune.tiny.table import FrameTable
from vmaftune.tiny.train import Trained, train

TABLE = made_table()
SMALL = ARCHITECTURES["mlp_small"]


def recipe(name: str = "v2", **fields: object) -> Recipe:
    return msgspec.structs.replace(RECIPES[name], **{"epochs": 3, **fields})


def weights(trained: Trained) -> list[torch.Tensor]:
    return [parameter for network in trained.networks for parameter in network.parameters]


@pytest.mark.parametrize("architecture", ["linear", "mlp_small", "attention"])
@pytest.mark.parametrize("name", ["v1", "v2"])
def test_a_fold_is_what_it_is_alone(architecture: str, name: str) -> None:
    folds, shape = (*leave_one_source_out(TABLE), Fold()), ARCHITECTURES[architecture]
    together = train(TABLE, folds, shape, recipe(name), seed=1)
    for place, fold in enumerate(folds):
        alone = train(TABLE, [fold], shape, recipe(name), seed=1)
        for one, other in zip(alone.networks[0].parameters, together.networks[place].parameters, strict=True):
            assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)
        assert alone.held_out[0] == pytest.approx(together.held_out[place], abs=1e-2)
        assert alone.rmse[0] == pytest.approx(together.rmse[place], abs=1e-3)


def test_a_fold_is_blind_to_its_source() -> None:
    """What the source's frames say changes nothing in the network."""
    fold = Fold(("S2",))
    held_out = fold.held_out(TABLE)
    other = made_table()
    other.features[held_out] = 0.5
    other.scores[held_out] = 3.0
    before, after = (train(table, [fold], SMALL, recipe(), seed=0) for table in (TABLE, other))
    assert all(torch.equal(one, two) for one, two in zip(weights(before), weights(after), strict=True))


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_LARGEST_GROUP", 2)
    folds = leave_one_source_out(TABLE)
    one, two, other = (
        train(TABLE, folds, SMALL, recipe(), seed=seed, threads=threads) for seed, threads in ((0, 1), (0, 3), (1, 1))
    )
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def rmse(table: FrameTable, trained: Trained) -> float:
    errors = [
        own - table.scores[fold.held_out(table)] for fold, own in zip(trained.folds, trained.held_out, strict=True)
    ]
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def test_it_learns_what_generalises() -> None:
    table, folds = made_table(8), leave_one_source_out(made_table(8))
    quick = recipe(learning_rate=0.02, batch=64)
    before, after = (train(table, folds, SMALL, msgspec.structs.replace(quick, epochs=n), seed=0) for n in (0, 120))
    assert rmse(table, before) > 30.0 and rmse(table, after) < 4.0


def scattered() -> FrameTable:
    """Features that have nothing to do with each other."""
    table = made_table(4, 8)
    table.features[:] = np.random.default_rng(0).uniform(0.0, 1.0, table.features.shape)
    return table


def linear_error(table: FrameTable, *, clip: bool) -> float:
    plan = recipe(epochs=150, clip=clip, learning_rate=0.03, batch=64)
    return train(table, [Fold()], ARCHITECTURES["linear"], plan, seed=0).rmse[0]


def test_linear_is_least_squares() -> None:
    table = scattered()
    table.scores[:] = teacher(table.features) / 2.0 + 20.0
    ones = np.column_stack([table.features, np.ones(len(table))])
    best = ones @ np.linalg.lstsq(ones, table.scores, rcond=None)[0]
    assert linear_error(table, clip=False) == pytest.approx(np.sqrt(np.mean((best - table.scores) ** 2)), rel=0.01)


def test_what_is_beyond_a_clipped_target_is_no_error() -> None:
    """A plane is found in scores that were clipped."""
    table = scattered()
    table.scores[:] = np.clip(160.0 * table.features[:, 0] - 30.0, 0.0, 100.0)
    assert linear_error(table, clip=True) < 0.5 < 3.0 < linear_error(table, clip=False)


def test_early_stopping_keeps_the_best_epoch_of_each_network() -> None:
    table = made_table(8)
    folds = leave_one_source_out(table, 3)
    epochs: list[int] = []
    wild = recipe(epochs=60, patience=4, cosine=False, learning_rate=0.05)
    stopped = train(table, folds, SMALL, wild, seed=0, on_epoch=epochs.append)
    assert all(0 < each <= 60 for each in stopped.epochs) and epochs[-1] == len(epochs) - 1
    if epochs[-1] < 60:
        assert all(epochs[-1] - each >= 4 for each in stopped.epochs)
    best = max(stopped.epochs)
    place = stopped.epochs.index(best)
    again = train(table, folds, SMALL, msgspec.structs.replace(wild, epochs=best), seed=0)
    for one, two in zip(stopped.networks[place].parameters, again.networks[place].parameters, strict=True):
        assert torch.equal(one, two)


def test_frames_that_are_watched_are_not_learned_from() -> None:
    table = made_table(8)
    changed = made_table(8)
    changed.scores[table.sources == 0] = 50.0  # S0 is watched
    one, two = (train(t, [Fold(("S3",))], SMALL, recipe(patience=99, epochs=1), seed=0) for t in (table, changed))
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))

"""Training of all folds at once: batched networks, in groups that stay in the processor's cache, one group a thread.

Frames are shuffled with the seed and the epoch alone, so that all folds walk through the table in one order, each blind to its
own sources; a fold learns the same whether others are trained beside it or not.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vmaftune.contract.curves import FloatArray
from vmaftune.tiny.architectures import Architecture
from vmaftune.tiny.checkpoint import Checkpoint
from vmaftune.tiny.folds import Fold, watched_sources, windows
from vmaftune.tiny.network import NO_SCALE, Networks, begun, fit_scale
from vmaftune.tiny.recipes import Recipe
from vmaftune.tiny.table import FrameTable
from vmaftune.training.threads import one_thread

_LARGEST_GROUP = 37
_UNITS_OF_A_GROUP = 300_000
"""Of the widest layer, over the frames of a batch: larger groups would not fit the cache, and leave processors without any."""

_LOWEST, _HIGHEST = 0.0, 100.0


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One network for each fold.

    Attributes:
        folds: in the order they were asked for.
        networks: one of one for each fold; their scores are VMAF.
        held_out: what each says of the frames that it never saw, VMAF, each of the shape of that fold's frames.
        fitted: what the last one says of all frames, VMAF, shape (n,).
        rmse: of each on the frames that it learned from, VMAF.
        epochs: that each was trained, those after its best one not counted.
    """

    folds: tuple[Fold, ...]
    networks: tuple[Networks, ...]
    held_out: tuple[FloatArray, ...]
    fitted: FloatArray
    rmse: tuple[float, ...]
    epochs: tuple[int, ...]


def train(
    table: FrameTable,
    folds: Sequence[Fold],
    architecture: Architecture,
    recipe: Recipe,
    *,
    seed: int,
    threads: int = 1,
    checkpoint: Path | None = None,
    on_epoch: Callable[[int], None] = lambda epoch: None,
) -> Trained:
    """Train a network for each fold. The same arguments give the same bits on one host, whatever ``threads`` is.

    Args:
        threads: groups of folds that are trained at one time.
        checkpoint: file that the state is kept in while training; one that is there of the same training is gone on from. It is
            removed by whoever keeps the result.
        on_epoch: called with how many epochs are done, 0 at the start or more where it goes on.

    Raises:
        UserError: the table cannot be split as the recipe asks.
        OSError: the checkpoint could not be written.
    """
    with one_thread(), ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return _train(table, tuple(folds), architecture, recipe, seed, checkpoint, on_epoch, pool)


def _train(
    table: FrameTable,
    folds: tuple[Fold, ...],
    architecture: Architecture,
    recipe: Recipe,
    seed: int,
    checkpoint: Path | None,
    on_epoch: Callable[[int], None],
    pool: ThreadPoolExecutor,
) -> Trained:
    data = _Data.of(table, architecture)
    each = _folds_of_a_group(architecture, recipe)
    parts = [folds[first : first + each] for first in range(0, len(folds), each)]
    groups = [_Group(table, part, data, architecture, recipe, seed) for part in parts]
    split = table.source_names, table.sources.tobytes(), folds
    kept = Checkpoint(checkpoint, (data.digest(), architecture, recipe, seed, split, each))
    epoch = kept.resume([group.state for group in groups])
    on_epoch(epoch)
    while epoch < recipe.epochs and not all(group.finished for group in groups):
        order = torch.randperm(len(table), generator=torch.Generator().manual_seed(_seed_of(seed, epoch)))
        list(pool.map(lambda group, order=order, epoch=epoch: group.learn(order, epoch), groups))
        epoch += 1
        kept.keep(epoch, [group.state for group in groups], last=epoch == recipe.epochs)
        on_epoch(epoch)
    done = [one for found in pool.map(_Group.trained, groups) for one in found]
    networks, said, rmse, epochs = zip(*done, strict=True)
    held_out = tuple(own[fold.held_out(table)] for fold, own in zip(folds, said, strict=True))
    return Trained(folds=folds, networks=networks, held_out=held_out, fitted=said[-1], rmse=rmse, epochs=epochs)


@dataclass(frozen=True, kw_only=True)
class _Data:
    """The table as tensors."""

    features: torch.Tensor
    scores: torch.Tensor
    windows: torch.Tensor

    @classmethod
    def of(cls, table: FrameTable, architecture: Architecture) -> _Data:
        return cls(
            features=torch.tensor(table.features, dtype=torch.float32),
            scores=torch.tensor(table.scores, dtype=torch.float32),
            windows=torch.tensor(windows(table, architecture.neighbours)),
        )

    def rows(self, places: torch.Tensor) -> torch.Tensor:
        """Features of frames and of those beside them, shape (places, window, 6)."""
        return self.features[self.windows[places]]

    def digest(self) -> bytes:
        return b"".join(part.numpy().tobytes() for part in (self.features, self.scores, self.windows))


class _Group:
    """Folds that are trained together, as one batched network."""

    def __init__(
        self,
        table: FrameTable,
        folds: Sequence[Fold],
        data: _Data,
        architecture: Architecture,
        recipe: Recipe,
        seed: int,
    ) -> None:
        self._data, self._recipe = data, recipe
        watched = watched_sources(table.source_names) if recipe.patience is not None else ()
        seen = [fold.seen(table) & Fold(watched).seen(table) for fold in folds]
        watches = [fold.seen(table) & Fold(watched).held_out(table) for fold in folds]
        self._watched_places = torch.tensor(np.flatnonzero(Fold(watched).held_out(table)))
        scales = [fit_scale(table.features[own], table.scores[own]) if recipe.scaler else NO_SCALE for own in seen]
        self._networks = begun(architecture, scales, seed)
        self._seen = torch.tensor(np.array(seen)).float()
        self._watched = torch.tensor(np.array(watches)).float()[:, self._watched_places]
        # What libvmaf has clipped may be any score beyond: only what falls short of it is an error.
        top, bottom = (data.scores >= _HIGHEST) & recipe.clip, (data.scores <= _LOWEST) & recipe.clip
        self._most = torch.where(top, data.scores, math.inf)
        self._least = torch.where(bottom, data.scores, -math.inf)
        self._optimizer = torch.optim.Adam(self._networks.parameters, lr=recipe.learning_rate, fused=True)
        for parameter in self._networks.parameters:  # so that there is a state to be read back before the first step
            parameter.grad = torch.zeros_like(parameter)
        self._optimizer.step()
        for parameter in self._networks.parameters:
            self._optimizer.state[parameter]["step"].zero_()
        count = len(scales)
        self._best = [parameter.detach().clone() for parameter in self._networks.parameters]
        self._best_error = torch.full((count,), math.inf)
        self._best_epoch = torch.zeros(count, dtype=torch.int64)
        self._idle = torch.zeros(count, dtype=torch.int64)
        self._patience = recipe.patience if recipe.patience is not None else sys.maxsize

    @property
    def state(self) -> list[torch.Tensor]:
        """All that changes, to be copied from and to."""
        state = [part for p in self._networks.parameters for part in self._optimizer.state[p].values()]
        return [*self._networks.parameters, *state, *self._best, self._best_error, self._best_epoch, self._idle]

    @property
    def finished(self) -> bool:
        """Whether early stopping has ended all of its networks."""
        return bool((self._idle >= self._patience).all())

    def learn(self, order: torch.Tensor, epoch: int) -> None:
        """One pass over the table, in ``order``."""
        batches = order.split(self._recipe.batch)
        for number, places in enumerate(batches):
            if self._recipe.cosine:
                share = (epoch + number / len(batches)) / self._recipe.epochs
                self._optimizer.param_groups[0]["lr"] = (
                    self._recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
                )
            self._step(places)
        if self._recipe.patience is not None:
            self._watch(epoch + 1)

    def _watch(self, epoch: int) -> None:
        """Keep the weights of networks that do better than ever on what they watch, until they have not for a while."""
        said = self._networks.vmaf(self._data.rows(self._watched_places), clip=self._recipe.clip)
        squares = (said - self._data.scores[self._watched_places]) ** 2 * self._watched
        error = squares.sum(1) / self._watched.sum(1).clamp(min=1.0)
        better = (error < self._best_error) & (self._idle < self._patience)
        for kept, parameter in zip(self._best, self._networks.parameters, strict=True):
            kept.copy_(torch.where(better[:, None, None], parameter.detach(), kept))
        self._best_error.copy_(torch.where(better, error, self._best_error))
        self._best_epoch.copy_(torch.where(better, epoch, self._best_epoch))
        self._idle.copy_(torch.where(better, 0, self._idle + 1))

    def _step(self, places: torch.Tensor) -> None:
        networks, seen = self._networks, self._seen[:, places]
        said = networks(self._data.rows(places))
        wanted, most, least = (
            (values[places] - networks.target_mean) / networks.target_spread
            for values in (self._data.scores, self._most, self._least)
        )
        error = (torch.clamp(said, least, most) - wanted) * seen
        loss = ((error**2).sum(1) / seen.sum(1).clamp(min=1.0)).sum()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def trained(self) -> list[tuple[Networks, FloatArray, float, int]]:
        """Of each fold its network, what that says of all frames, its error on those it learned from, and its epochs."""
        epochs = [self._recipe.epochs] * len(self._seen)
        if self._recipe.patience is not None:
            epochs = self._best_epoch.tolist()
            with torch.no_grad():
                for kept, parameter in zip(self._best, self._networks.parameters, strict=True):
                    parameter.copy_(kept)
        said = self._networks.vmaf(self._data.rows(torch.arange(len(self._data.scores))), clip=self._recipe.clip)
        squares = ((said - self._data.scores) ** 2 * self._seen).sum(1) / self._seen.sum(1).clamp(min=1.0)
        return [
            (self._networks.one(n), said[n].numpy().astype(float), float(squares[n].sqrt()), epochs[n])
            for n in range(len(said))
        ]


def _folds_of_a_group(architecture: Architecture, recipe: Recipe) -> int:
    """Whatever the host is, so that it changes no bit."""
    units = recipe.batch * architecture.window * max(architecture.hidden, default=1)
    return max(1, min(_LARGEST_GROUP, _UNITS_OF_A_GROUP // units))


def _seed_of(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])

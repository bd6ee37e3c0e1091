"""Low-rank adapters of a trained predictor (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021).

Each weight matrix is W + B A, with W (in, out) of the base frozen, B (in, r) zero at the start and A (r, out) drawn at random,
or the principal right singular vectors of W (after Meng et al., "PiSSA", 2024): directions that keep curves smooth. What is
trained is the vector of all A and B; it stands in for a network, so the trainer's own descent trains it.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from vmaftune_plugins.trainers.encoded import Rows
from vmaftune_plugins.trainers.weights import Network


class Adapter:
    """An adapter of rank ``rank`` on every matrix of a network; rank 0 trains the curves' biases in their place.

    Args:
        base: never changed.
        seed: of A.
        principal: whether A begins with singular vectors; else it is drawn.

    Attributes:
        theta: A and B, or what is added to the biases, at the start, shape (p,), float32.
    """

    def __init__(self, base: Network, rank: int, seed: int, *, principal: bool = False) -> None:
        self._base, self._rank = base, rank
        self._frozen = base.tensor(base.theta)
        self._slots = [slot for slot in base.slots if (slot.name == "bias" if rank == 0 else slot.shape[0] > 1)]
        random, parts = np.random.default_rng(seed), []
        for slot in self._slots:
            wide, narrow = slot.shape
            drawn = random.normal(0.0, 1.0 / math.sqrt(max(rank, 1)), rank * narrow)
            if principal and rank:
                _, size, vectors = np.linalg.svd(
                    base.theta[slot.begin : slot.end].reshape(slot.shape), full_matrices=False
                )
                drawn = (size[:rank, None] / math.sqrt(wide) * vectors[:rank]).ravel()
            parts += [np.zeros(wide * rank), drawn] if rank else [np.zeros(narrow)]
        self.theta = np.concatenate(parts).astype(np.float32)

    def merged(self, theta: torch.Tensor) -> torch.Tensor:
        """All weights of the base with the adapter in them."""
        parts, at, begin = [], 0, 0
        for slot in self._slots:
            wide, narrow = slot.shape
            b, a = (wide * self._rank, narrow * self._rank) if self._rank else (0, narrow)
            left, right = theta[at : at + b], theta[at + b : at + b + a]
            product = left.view(wide, self._rank) @ right.view(self._rank, narrow) if self._rank else right
            parts += [self._frozen[begin : slot.begin], self._frozen[slot.begin : slot.end] + product.reshape(-1)]
            at, begin = at + a + b, slot.end
        return torch.cat([*parts, self._frozen[begin:]])

    def weights(self, theta: np.ndarray) -> np.ndarray:
        """The same as an array, for ``Network.file``."""
        with torch.no_grad():
            merged: np.ndarray = self.merged(torch.from_numpy(theta)).numpy()
        return merged

    def tensor(self, rows: Rows) -> torch.Tensor:
        return self._base.tensor(rows)

    def scores(self, theta: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return self._base.scores(self.merged(theta), rows)

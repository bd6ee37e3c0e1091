"""The mean curve as a network, trained for all folds at once.

A curve is the mean of its kind plus scores times principal components; the scores come from layers of tanh units that all
curves share, and from a straight path beside them. Leave-one-source-out means a network for each source: they are trained
together, as batched matrix products, each blind to its own source. The loss is Huber's (1964), with the knots between VMAF 70
and 99.5 weighted up and weight decay on all weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vmaftune.features.pilot import FAMILIES
from vmaftune.features.schema import NAMES
from vmaftune.training.design import Design
from vmaftune.training.table import KNOTS, Table
from vmaftune.types import FloatArray

FIRST_PILOT = next(place for place, name in enumerate(NAMES) if name.startswith("pilot"))
"""From here on, inputs have another meaning, and scale, for each pilot family."""

_HUBER_VMAF = 3.0
_WEIGHT_BEYOND = 0.3
_OF_INTEREST = (70.0, 99.5)
LARGEST_SCALED = 4.0
_LEAST_SCORE_SPREAD = 1.0
_STRAIGHT_DECAY = 3.0


@dataclass(frozen=True, kw_only=True)
class Scaler:
    """Mean and spread of every input for each pilot family, shape (families, inputs)."""

    mean: FloatArray
    spread: FloatArray

    def __call__(self, inputs: FloatArray, families: np.ndarray) -> FloatArray:
        """Scaled inputs, those of the pilots in columns of their own family, and the family as -1 or 1; (n, expanded)."""
        scaled = np.clip((inputs - self.mean[families]) / self.spread[families], -LARGEST_SCALED, LARGEST_SCALED)
        own = [scaled[:, FIRST_PILOT:] * (families == f)[:, None] for f in range(len(FAMILIES))]
        return np.concatenate([scaled[:, :FIRST_PILOT], *own, families[:, None] * 2.0 - 1.0], axis=1)


def fit_scaler(table: Table) -> Scaler:
    """Cheap features are scaled over all curves, those of the pilots within their family."""
    inputs, families = table.inputs, table.families
    mean = np.tile(inputs.mean(axis=0), (len(FAMILIES), 1))
    spread = np.tile(inputs.std(axis=0), (len(FAMILIES), 1))
    for family in set(families.tolist()):
        own = inputs[families == family, FIRST_PILOT:]
        mean[family, FIRST_PILOT:], spread[family, FIRST_PILOT:] = own.mean(axis=0), own.std(axis=0)
    return Scaler(mean=mean, spread=np.maximum(spread, 1e-6))


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Ensembles, one for each source left out.

    Attributes:
        curves: VMAF at the knots that each member says, shape (folds, members, n, KNOTS).
        weights: of each fold; None where every curve has a network of its own.
    """

    curves: np.ndarray
    weights: list[Weights] | None


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One trained ensemble: float32 arrays.

    Attributes:
        layers: weights (members, in, out) and biases (members, out) of the hidden layers.
        heads: from the last hidden layer to VMAF at the knots, (members, curves, width, KNOTS).
        straight: from the scaled inputs to VMAF at the knots, (members, curves, expanded, KNOTS).
        bias: VMAF at the knots, (members, curves, KNOTS).
    """

    layers: list[tuple[np.ndarray, np.ndarray]]
    heads: np.ndarray
    straight: np.ndarray
    bias: np.ndarray


def train(
    table: Table,
    scaler: Scaler,
    design: Design,
    left_out: Sequence[str | None],
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Trained:
    """Train one ensemble for each entry of ``left_out``, blind to that source; None is blind to nothing.

    Args:
        on_progress: called with the share done, 0 to 1.
    """
    inputs = _chosen(torch.tensor(scaler(table.inputs, table.families), dtype=torch.float32), design)
    mean, components, spread = _components(table, design.components)
    model = _Batched(inputs.shape[1], mean, components, spread, design, len(left_out), seed)
    vmaf = torch.tensor(table.vmaf, dtype=torch.float32)
    weight = torch.tensor(_knot_weights(table), dtype=torch.float32)
    seen = torch.tensor([[float(s != out) for s in table.sources] for out in left_out]).repeat_interleave(
        design.members, 0
    )
    count = seen.sum(1)
    which = torch.tensor(table.which)
    optimizer = torch.optim.Adam(model.parameters, lr=design.learning_rate)
    for step in range(design.steps):
        for group in optimizer.param_groups:
            group["lr"] = design.learning_rate * 0.5 * (1.0 + math.cos(math.pi * step / design.steps))
        error = (model(inputs, which) - vmaf).abs()
        huber = torch.where(error < _HUBER_VMAF, error**2 / (2 * _HUBER_VMAF), error - _HUBER_VMAF / 2)
        loss = ((huber * weight).mean(2) * seen).sum(1) / count
        total = (loss + design.decay / 3.0 * model.squares() / count.sqrt()).sum()
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        on_progress((step + 1) / design.steps)
    with torch.no_grad():
        curves = model(inputs, which).numpy().reshape(len(left_out), design.members, len(table.which), KNOTS)
    return Trained(
        curves=curves, weights=[model.weights(fold) for fold in range(len(left_out))] if design.shared else None
    )


def falling(curves: FloatArray) -> FloatArray:
    """Curves made to fall: at each knot the highest from there on, within 0 to 100."""
    return np.clip(np.maximum.accumulate(curves[..., ::-1], axis=-1)[..., ::-1], 0.0, 100.0)


class _Batched:
    """The parameters of folds x members networks, and their prediction."""

    def __init__(
        self,
        inputs: int,
        mean: FloatArray,
        components: FloatArray,
        spread: FloatArray,
        design: Design,
        folds: int,
        seed: int,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._design, self._members = design, design.members
        self._mean = torch.tensor(mean, dtype=torch.float32)
        # One score moves its component by the spread that the component has in the corpus.
        self._basis = torch.tensor(components * spread[:, :, None], dtype=torch.float32)
        networks, curves, k = folds * design.members, *components.shape[:2]
        sizes = [inputs, *design.hidden]
        # Every fold begins with the same weights. A network of its own for each curve is a block of the layer for it.
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        blocks = 1 if design.shared else curves
        for wide, narrow in itertools.pairwise(sizes):
            shape = (design.members, blocks, wide, narrow)
            start = torch.randn(shape, generator=generator) / math.sqrt(wide)
            bias = torch.zeros(networks, blocks, 1, narrow).requires_grad_()
            self._layers.append((start.repeat(folds, 1, 1, 1).requires_grad_(), bias))
        width = design.hidden[-1] if design.hidden else 0
        self._heads = torch.zeros(networks, curves, width, k).requires_grad_()
        self._straight = torch.zeros(networks, curves, inputs, k).requires_grad_()
        self._bias = torch.zeros(networks, curves, k).requires_grad_()

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [*(t for layer in self._layers for t in layer), self._heads, self._straight, self._bias]

    def squares(self) -> torch.Tensor:
        """Weight decay's sum for each network."""
        layers = sum(((w**2).sum((1, 2, 3)) for w, _ in self._layers), torch.zeros(len(self._bias)))
        heads, straight = (self._heads**2).sum((1, 2, 3)), (self._straight**2).sum((1, 2, 3))
        return layers + heads + _STRAIGHT_DECAY * straight

    def __call__(self, inputs: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        """VMAF at the knots, shape (networks, n, KNOTS)."""
        result = torch.empty(len(self._bias), len(inputs), KNOTS)
        for curve in range(len(self._mean)):
            mine = (which == curve).nonzero()[:, 0]
            own = inputs[mine]
            scores = own @ self._straight[:, curve] + self._bias[:, curve, None]
            if self._layers:
                hidden = own.expand(len(self._bias), -1, -1)
                for weight, bias in self._layers:
                    block = 0 if self._design.shared else curve
                    hidden = torch.tanh(hidden @ weight[:, block] + bias[:, block])
                scores = scores + hidden @ self._heads[:, curve]
            result[:, mine] = self._mean[curve] + scores @ self._basis[curve]
        return result

    def weights(self, fold: int) -> Weights:
        chosen = slice(fold * self._members, (fold + 1) * self._members)

        def knots(scores: torch.Tensor) -> np.ndarray:
            """From scores (members, curves, x, k) to VMAF at the knots."""
            return torch.einsum("mcxk,ckn->mcxn", scores[chosen], self._basis).detach().numpy()

        bias = knots(self._bias[:, :, None])[:, :, 0] + self._mean.numpy()
        layers = [(w[chosen, 0].detach().numpy(), b[chosen, 0, 0].detach().numpy()) for w, b in self._layers]
        return Weights(layers=layers, heads=knots(self._heads), straight=knots(self._straight), bias=bias)


def _chosen(inputs: torch.Tensor, design: Design) -> torch.Tensor:
    """Inputs that a design may see; the others are zero."""
    first, last = {
        "none": (0, 0),
        "packets": (0, NAMES.index("si_mean")),
        "cheap": (0, FIRST_PILOT),
        "pilot": (FIRST_PILOT, inputs.shape[1]),
        "all": (0, inputs.shape[1]),
    }[design.features]
    seen = torch.zeros_like(inputs)
    seen[:, first:last] = inputs[:, first:last]
    return seen


def _components(table: Table, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean (curves, KNOTS), components (curves, k, KNOTS) and the spread of their scores (curves, k)."""
    curves = len(table.curves)
    mean, components, spread = np.zeros((curves, KNOTS)), np.zeros((curves, k, KNOTS)), np.ones((curves, k))
    for place in range(curves):
        own = table.vmaf[table.which == place]
        mean[place] = own.mean(axis=0)
        found = np.linalg.svd(own - mean[place], full_matrices=False)[2][:k]
        components[place, : len(found)] = found
        spread[place] = np.maximum(((own - mean[place]) @ components[place].T).std(axis=0), _LEAST_SCORE_SPREAD)
    return mean, components, spread


def _knot_weights(table: Table) -> FloatArray:
    low, high = _OF_INTEREST
    interesting = np.where((table.vmaf > low) & (table.vmaf < high), 1.0, _WEIGHT_BEYOND)
    return interesting * np.where(table.measured, 1.0, _WEIGHT_BEYOND)

"""The mean curve as a network, trained for all folds at once.

A curve is the mean of its kind plus scores times principal components; the scores come from layers of tanh units that all
curves share, and from a straight path beside them. Leave-one-source-out means a network for each source: they are trained
together, as batched matrix products, each blind to its own source, which scaler and components are blind to as well. The loss
is Huber's (1964), with the knots between VMAF 70
and 99.5 weighted up and weight decay on all weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.features import FEATURES, NAMES
from vmaftune.features.pilot import FAMILIES
from vmaftune.training.design import Design
from vmaftune.training.table import KNOTS, PILOT_SCORES, Table
from vmaftune.training.threads import one_thread

FIRST_PILOT = next(place for place, name in enumerate(NAMES) if name.startswith("pilot"))
"""From here on, inputs have another meaning, and scale, for each pilot family."""

HUBER_VMAF = 3.0
WEIGHT_BEYOND = 0.3
OF_INTEREST = (70.0, 99.5)
LARGEST_SCALED = 4.0
_LEAST_SCORE_SPREAD = 1.0
_STRAIGHT_DECAY = 3.0
_TYPICAL_SPREAD = np.array([*(scale.spread for scale in FEATURES.values()), *(1.0 for _ in PILOT_SCORES)])
_LEAST_SPREAD_SHARE = 1e-3
_UNSEEN_SPREAD = 1e9


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
    """Cheap features are scaled over all curves, those of the pilots within their family.

    An input that is the same in all curves has a spread without end: nothing was learned of it, so it is never seen.
    """
    inputs, families = table.inputs, table.families
    mean = np.tile(inputs.mean(axis=0), (len(FAMILIES), 1))
    spread = np.tile(inputs.std(axis=0), (len(FAMILIES), 1))
    for family in set(families.tolist()):
        own = inputs[families == family, FIRST_PILOT:]
        mean[family, FIRST_PILOT:], spread[family, FIRST_PILOT:] = own.mean(axis=0), own.std(axis=0)
    varies = spread > _LEAST_SPREAD_SHARE * _TYPICAL_SPREAD
    return Scaler(mean=mean, spread=np.where(varies, spread, _UNSEEN_SPREAD))


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Ensembles, one for each source left out.

    Attributes:
        curves: VMAF at the knots that each member says, shape (folds, members, n, KNOTS).
        weights: of each fold; none where every curve has a network of its own.
    """

    curves: np.ndarray
    weights: list[Weights]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One trained ensemble: float32 arrays.

    Attributes:
        scaler: of its inputs.
        layers: weights (members, in, out) and biases (members, out) of the hidden layers.
        heads: from the last hidden layer to VMAF at the knots, (members, curves, width, KNOTS).
        straight: from the scaled inputs to VMAF at the knots, (members, curves, expanded, KNOTS).
        bias: VMAF at the knots, (members, curves, KNOTS).
    """

    scaler: Scaler
    layers: list[tuple[np.ndarray, np.ndarray]]
    heads: np.ndarray
    straight: np.ndarray
    bias: np.ndarray


def train(
    table: Table,
    design: Design,
    left_out: Sequence[str | None],
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Trained:
    """Train one ensemble for each entry of ``left_out``, blind to that source; None is blind to nothing.

    Args:
        seed: the same one gives the same bits on one host, however many processors it has and however busy they are.
        on_progress: called with the share done, 0 to 1.
    """
    with one_thread():
        return _train(table, design, left_out, seed, on_progress)


def _train(
    table: Table, design: Design, left_out: Sequence[str | None], seed: int, on_progress: Callable[[float], None]
) -> Trained:
    seen_by = [table.without(out) for out in left_out]
    scalers = [fit_scaler(seen) for seen in seen_by]
    inputs = np.array([_chosen(scaler(table.inputs, table.families), design) for scaler in scalers])
    bases = [_components(seen, design.components) for seen in seen_by]
    model = _Batched(inputs, table.which, bases, design, seed)
    vmaf = torch.tensor(table.vmaf, dtype=torch.float32)
    weight = torch.tensor(_knot_weights(table), dtype=torch.float32)
    seen = torch.tensor([[float(s != out) for s in table.sources] for out in left_out]).repeat_interleave(
        design.members, 0
    )
    count = seen.sum(1)
    optimizer = torch.optim.Adam(model.parameters, lr=design.learning_rate)
    for step in range(design.steps):
        for group in optimizer.param_groups:
            group["lr"] = design.learning_rate * 0.5 * (1.0 + math.cos(math.pi * step / design.steps))
        error = (model() - vmaf).abs()
        huber = torch.where(error < HUBER_VMAF, error**2 / (2 * HUBER_VMAF), error - HUBER_VMAF / 2)
        loss = ((huber * weight).mean(2) * seen).sum(1) / count
        total = (loss + design.decay / 3.0 * model.squares() / count.sqrt()).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        on_progress((step + 1) / design.steps)
    with torch.no_grad():
        curves = model().numpy().reshape(len(left_out), design.members, len(table.which), KNOTS)
    weights = [model.weights(fold, scaler) for fold, scaler in enumerate(scalers)] if design.shared else []
    return Trained(curves=curves, weights=weights)


def falling(curves: FloatArray) -> FloatArray:
    """Curves made to fall: at each knot the highest from there on, within 0 to 100."""
    return np.clip(np.maximum.accumulate(curves[..., ::-1], axis=-1)[..., ::-1], 0.0, 100.0)


class _Batched:
    """The parameters of folds x members networks, and their prediction of all curves.

    Args:
        inputs: scaled as each fold sees them, shape (folds, n, expanded).
        which: kind of each curve, shape (n,).
        bases: of each fold, as _components gives them.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        which: np.ndarray,
        bases: Sequence[tuple[FloatArray, FloatArray]],
        design: Design,
        seed: int,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._design, self._members = design, design.members

        def each_network(of_folds: Sequence[np.ndarray] | np.ndarray) -> torch.Tensor:
            return torch.tensor(np.array(of_folds), dtype=torch.float32).repeat_interleave(design.members, 0)

        self._mean = each_network([mean for mean, _ in bases])
        self._basis = each_network([basis for _, basis in bases])
        folds, curves, k = len(bases), *bases[0][1].shape[:2]
        networks = folds * design.members
        self._places = [torch.tensor(np.flatnonzero(which == curve)) for curve in range(curves)]
        self._inputs = [each_network(inputs[:, places]) for places in self._places]
        sizes = [inputs.shape[2], *design.hidden]
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
        self._straight = torch.zeros(networks, curves, sizes[0], k).requires_grad_()
        self._bias = torch.zeros(networks, curves, k).requires_grad_()

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [*(t for layer in self._layers for t in layer), self._heads, self._straight, self._bias]

    def squares(self) -> torch.Tensor:
        """Weight decay's sum for each network."""
        layers = sum(((w**2).sum((1, 2, 3)) for w, _ in self._layers), torch.zeros(len(self._bias)))
        heads, straight = (self._heads**2).sum((1, 2, 3)), (self._straight**2).sum((1, 2, 3))
        return layers + heads + _STRAIGHT_DECAY * straight

    def __call__(self) -> torch.Tensor:
        """VMAF at the knots, shape (networks, n, KNOTS)."""
        result = torch.empty(len(self._bias), sum(map(len, self._places)), KNOTS)
        for curve, (own, mine) in enumerate(zip(self._inputs, self._places, strict=True)):
            scores = own @ self._straight[:, curve] + self._bias[:, curve, None]
            if self._layers:
                hidden = own
                for weight, bias in self._layers:
                    block = 0 if self._design.shared else curve
                    hidden = torch.tanh(hidden @ weight[:, block] + bias[:, block])
                scores = scores + hidden @ self._heads[:, curve]
            result[:, mine] = self._mean[:, curve, None] + scores @ self._basis[:, curve]
        return result

    def weights(self, fold: int, scaler: Scaler) -> Weights:
        chosen = slice(fold * self._members, (fold + 1) * self._members)

        def knots(scores: torch.Tensor) -> np.ndarray:
            """From scores (members, curves, x, k) to VMAF at the knots."""
            return np.asarray(torch.einsum("mcxk,mckn->mcxn", scores[chosen], self._basis[chosen]).detach())

        bias = knots(self._bias[:, :, None])[:, :, 0] + self._mean[chosen].numpy()
        layers = [(w[chosen, 0].detach().numpy(), b[chosen, 0, 0].detach().numpy()) for w, b in self._layers]
        return Weights(
            scaler=scaler, layers=layers, heads=knots(self._heads), straight=knots(self._straight), bias=bias
        )


def _chosen(inputs: FloatArray, design: Design) -> FloatArray:
    """Inputs that a design may see; the others are zero."""
    first, last = {
        "none": (0, 0),
        "packets": (0, NAMES.index("si_mean")),
        "cheap": (0, FIRST_PILOT),
        "pilot": (FIRST_PILOT, inputs.shape[1]),
        "all": (0, inputs.shape[1]),
    }[design.features]
    seen = np.zeros_like(inputs)
    seen[:, first:last] = inputs[:, first:last]
    return seen


def _components(table: Table, k: int) -> tuple[FloatArray, FloatArray]:
    """Mean (curves, KNOTS) and components (curves, k, KNOTS), each as long as its scores' spread in the table."""
    curves = len(table.curves)
    mean, components = np.zeros((curves, KNOTS)), np.zeros((curves, k, KNOTS))
    for place in range(curves):
        own = table.vmaf[table.which == place]
        mean[place] = own.mean(axis=0)
        found = np.linalg.svd(own - mean[place], full_matrices=False)[2][:k]
        spread = np.maximum(((own - mean[place]) @ found.T).std(axis=0), _LEAST_SCORE_SPREAD)
        components[place, : len(found)] = found * spread[:, None]
    return mean, components


def _knot_weights(table: Table) -> FloatArray:
    low, high = OF_INTEREST
    interesting = np.where((table.vmaf > low) & (table.vmaf < high), 1.0, WEIGHT_BEYOND)
    return interesting * np.where(table.measured, 1.0, WEIGHT_BEYOND)

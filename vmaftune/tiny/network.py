"""Networks of one architecture, one for each fold, as batched matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vmaftune.contract.curves import FloatArray
from vmaftune.models.full_reference import CANONICAL_6
from vmaftune.tiny.architectures import Architecture

_CHUNK = 4096


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Mean and spread of inputs, shape (6,), and of the target."""

    mean: FloatArray
    spread: FloatArray
    target_mean: float
    target_spread: float


def fit_scale(features: FloatArray, scores: FloatArray) -> Scale:
    """StandardScaler over frames (n, 6) and their scores (n,). What never varies is left as it is."""

    def spread(values: FloatArray) -> FloatArray:
        found = values.std(axis=0)
        return np.where(found > 1e-9, found, 1.0)

    return Scale(
        mean=features.mean(axis=0),
        spread=spread(features),
        target_mean=float(scores.mean()),
        target_spread=float(spread(scores)),
    )


NO_SCALE = Scale(mean=np.zeros(len(CANONICAL_6)), spread=np.ones(len(CANONICAL_6)), target_mean=0.0, target_spread=1.0)


class Networks:
    """k networks of one architecture and their scales.

    Args:
        parameters: in the order of ``architecture.shapes``, each of shape (k, *shape), float32.
        scales: of each network, shape (k, 6) for inputs; the target's of shape (k, 1).
    """

    def __init__(self, architecture: Architecture, parameters: list[torch.Tensor], scales: Sequence[Scale]) -> None:
        self.architecture, self.parameters, self.scales = architecture, parameters, tuple(scales)
        self._mean = _tensor([scale.mean for scale in scales])[:, None]
        self._spread = _tensor([scale.spread for scale in scales])[:, None]
        self.target_mean = _tensor([[scale.target_mean] for scale in scales])
        self.target_spread = _tensor([[scale.target_spread] for scale in scales])

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Scores in the target's scale, shape (k, n).

        Args:
            rows: raw canonical-6 of windows of frames, shape (n, window, 6).
        """
        count, window, width = rows.shape
        left = list(self.parameters)
        hidden = (rows.reshape(count * window, width) - self._mean) / self._spread
        for _ in self.architecture.encoder[1:]:
            hidden = torch.relu_(torch.baddbmm(left[1], hidden, left[0]))
            left = left[2:]
        if self.architecture.neighbours:
            alike, taken, weight, bias, *left = left
            frames = hidden.reshape(len(hidden), count, window, -1)
            centre = frames[:, :, window // 2]
            query = torch.bmm(centre, alike) / math.sqrt(centre.shape[2])
            attention = torch.softmax((query[:, :, None] * frames).sum(3), 2)
            pooled = (attention[..., None] * frames).sum(2)
            hidden = torch.relu(torch.baddbmm(bias, centre + torch.bmm(pooled, taken), weight))
        return torch.baddbmm(left[1], hidden, left[0])[:, :, 0]

    def vmaf(self, rows: torch.Tensor, *, clip: bool) -> torch.Tensor:
        """Scores on VMAF's scale, shape (k, n), without gradients; of a few thousand rows at once."""
        with torch.no_grad():
            parts = [self(part) * self.target_spread + self.target_mean for part in rows.split(_CHUNK)]
        said = torch.cat(parts, 1) if parts else torch.zeros(len(self.scales), 0)
        return said.clamp(0.0, 100.0) if clip else said

    def one(self, place: int) -> Networks:
        """The network at ``place`` alone, its target's scale folded into its last layer."""
        own = [parameter[place : place + 1].detach().clone() for parameter in self.parameters]
        scale = self.scales[place]
        own[-2] = own[-2] * scale.target_spread
        own[-1] = own[-1] * scale.target_spread + scale.target_mean
        bare = Scale(mean=scale.mean, spread=scale.spread, target_mean=0.0, target_spread=1.0)
        return Networks(self.architecture, own, [bare])


def begun(architecture: Architecture, scales: Sequence[Scale], seed: int) -> Networks:
    """Networks before training, one for each scale; all begin at the same weights.

    Weights and biases are uniform within one over the square root of the inputs, as torch.nn.Linear has them.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters: list[torch.Tensor] = []
    for shape in architecture.shapes:
        is_bias = shape[0] == 1 and len(parameters) % 2 == 1
        wide = parameters[-1].shape[1] if is_bias else shape[0]
        start = (2.0 * torch.rand((1, *shape), generator=generator) - 1.0) / math.sqrt(wide)
        parameters.append(start.repeat(len(scales), 1, 1).requires_grad_())
    return Networks(architecture, parameters, scales)


def _tensor(values: Sequence[object]) -> torch.Tensor:
    return torch.tensor(np.array(values), dtype=torch.float32)

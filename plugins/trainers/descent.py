"""Stochastic gradient descent with a moving average of the weights (Tarvainen and Valpola, 2017).

A step is w ← w − r(t) · update(clip(g)), with g the gradient of the batch's mean loss. The rate rises linearly to its full
size over the first 100 steps; g is clipped to a norm of 1 (Pascanu et al., 2013). Elastic weight consolidation (Kirkpatrick et
al., 2017) adds λ F (w − w₀), where w₀ are the weights that it began with and F their Fisher information.
The average is e(t) = Σ β^(t−i) (1 − β) w(i) / (1 − β^t): the division is what it lacks of 1 at the start (Kingma and Ba, 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from vmaftune_plugins.trainers.encoded import SCORE
from vmaftune_plugins.trainers.sgd_ema_settings import Settings
from vmaftune_plugins.trainers.weights import Network

from vmaftune.training.network import HUBER_VMAF, OF_INTEREST, WEIGHT_BEYOND

WARM_UP_STEPS = 100
LARGEST_NORM = 1.0
_FISHER_ROWS = 400
RATES = {"sgd": 0.002, "adam": 0.0003}


class Descent:
    """The weights that are trained, their optimiser and their average.

    Args:
        network: what is trained, from the weights in its file.
        settings: optimiser, rate, loss and decay.
        rows_to_keep: rows whose fit is to be kept by elastic weight consolidation; used only where settings ask for it.
        device: of torch.

    Attributes:
        step: steps made.
        skipped: batches whose gradient was no number; they changed nothing.
    """

    def __init__(self, network: Network, settings: Settings, rows_to_keep: np.ndarray, device: str = "cpu") -> None:
        self._network, self._settings = network, settings
        self.step = self.skipped = 0
        self._theta = torch.from_numpy(network.theta.copy()).to(device).requires_grad_()
        self._begin = self._theta.detach().clone()
        self._average = torch.zeros_like(self._begin)
        self._rate = settings.learning_rate or RATES[settings.optimiser]
        self._optimiser: torch.optim.Optimizer
        if settings.optimiser == "adam":
            self._optimiser = torch.optim.Adam([self._theta], lr=self._rate)
        else:
            self._optimiser = torch.optim.SGD([self._theta], lr=self._rate, momentum=settings.momentum)
        self._fisher = fisher(network, rows_to_keep) if settings.ewc else None

    @property
    def average(self) -> np.ndarray:
        """The moving average of the weights, shape (p,); those of the file before the first step."""
        average: np.ndarray = (self._average if self.step else self._begin).cpu().numpy().copy()
        return average

    def train(self, rows: np.ndarray) -> float | None:
        """Make one step on a batch; its mean loss in VMAF, None where the batch was skipped."""
        batch = self._network.tensor(rows)
        self._optimiser.zero_grad()
        loss = self._loss(batch)
        loss.backward()
        gradient = self._theta.grad
        assert gradient is not None
        if self._fisher is not None:
            gradient += self._settings.ewc * self._fisher * (self._theta.detach() - self._begin)
        norm = float(gradient.norm())
        if not np.isfinite(norm):
            self.skipped += 1
            return None
        gradient *= min(1.0, LARGEST_NORM / max(norm, 1e-12))
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate * min(1.0, (self.step + 1) / WARM_UP_STEPS)
        self._optimiser.step()
        self.step += 1
        beta = self._settings.ema
        with torch.no_grad():
            self._average += (1.0 - beta) / (1.0 - beta**self.step) * (self._theta - self._average)
        return float(loss.detach())

    def state(self) -> dict[str, np.ndarray]:
        """A copy of all that ``restore`` needs."""
        held = {
            f"optimiser_{name}": torch.as_tensor(value).cpu().numpy().copy()
            for name, value in self._optimiser.state.get(self._theta, {}).items()
            if value is not None
        }
        theta = self._theta.detach().cpu().numpy().copy()
        counts = {"step": np.array(self.step), "skipped": np.array(self.skipped)}
        return {"theta": theta, "average": self._average.cpu().numpy().copy(), **counts, **held}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken, bit for bit. Raises ValueError where it is of another network."""
        theta, average = (np.asarray(state[name], dtype=np.float32) for name in ("theta", "average"))
        if not theta.shape == average.shape == self._begin.shape:
            raise ValueError("the weights are of another network")
        with torch.no_grad():
            self._theta.copy_(torch.from_numpy(theta.copy()))
            self._average.copy_(torch.from_numpy(average.copy()))
        self.step, self.skipped = int(state["step"]), int(state["skipped"])
        held = {
            name.removeprefix("optimiser_"): torch.from_numpy(np.array(value)).to(self._theta.device)
            for name, value in state.items()
            if name.startswith("optimiser_")
        }
        self._optimiser.state.clear()
        if held:
            self._optimiser.state[self._theta] = held

    def _loss(self, batch: torch.Tensor) -> torch.Tensor:
        """Weighted as in training (vmaftune.training.network): where nobody encodes, errors count less."""
        truth = batch[:, SCORE]
        error = (self._network.scores(self._theta, batch) - truth).abs()
        low, high = OF_INTEREST
        weight = torch.where((truth > low) & (truth < high), 1.0, WEIGHT_BEYOND)
        square = error**2 / (2.0 * HUBER_VMAF)
        if self._settings.loss == "huber":
            square = torch.where(error < HUBER_VMAF, square, error - HUBER_VMAF / 2.0)
        return (square * weight).mean()


def fisher(network: Network, rows: np.ndarray) -> torch.Tensor:
    """Diagonal of the Fisher information of the weights in a network's file, scaled to a mean of 1; shape (p,).

    For an error of constant spread it is the mean square of the gradient of each prediction.

    Args:
        rows: of the corpus, shape (n, d + 5); some hundreds of them, evenly spread, are enough.
    """
    theta = network.tensor(network.theta).requires_grad_()
    total = torch.zeros_like(theta.detach())
    for row in network.tensor(rows[:: max(1, len(rows) // _FISHER_ROWS)]):
        (gradient,) = torch.autograd.grad(network.scores(theta, row[None]).sum(), theta)
        total += gradient**2
    return total / total.mean().clamp(min=1e-12)

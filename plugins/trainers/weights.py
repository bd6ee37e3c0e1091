"""The weights of a predictor: read out of its ONNX file, used in torch, and put back into a copy of that file.

Scaler, covariance and metadata are never touched: a checkpoint is the file it came from, with other numbers in the
initializers that were trained (vmaftune.training.export names them).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from vmaftune_plugins.trainers.encoded import BEYOND, FIRST, PLACE, SCORE, SECOND, SHARE, Rows

from vmaftune.errors import UserError
from vmaftune.features.pilot import FAMILIES
from vmaftune.models.choice import interpolation
from vmaftune.models.predictor import Contract, open_model
from vmaftune.training.network import FIRST_PILOT

_LEAST_VARIANCE = 0.25**2
_STRAIGHT, _BIAS, _HEADS = "straight_weight", "bias", "heads"
_FROZEN = (
    *("pilot_places", "ceiling", "family_of_curve", "scaler_mean", "scaler_spread", "least", "most"),
    *(f"is_{family}" for family in FAMILIES),
    "family_sign",
)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Where one initializer lies in the vector of all weights."""

    name: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Network:
    """A predictor's mean curve in torch, as a function of one vector of all its weights.

    Args:
        content: the ONNX file.
        what: names it in errors.
        device: of torch.

    Attributes:
        contract: what the file says of itself.
        theta: the weights in the file, shape (p,), float32.

    Raises:
        UserError: the file is a predictor, but not of the kind that vmaf-tune trains.
        VmafTuneError: it is none.
    """

    def __init__(self, content: bytes, what: str, device: str = "cpu") -> None:
        self._content, self._device = content, device
        self.contract: Contract = open_model(content, what).contract
        held = {i.name: numpy_helper.to_array(i) for i in onnx.load_from_string(content).graph.initializer}
        depth = sum(name.startswith("hidden_weight_") for name in held)
        hidden = [f"hidden_{part}_{n}" for n in range(depth) for part in ("weight", "bias")]
        trained = [_STRAIGHT, _BIAS, *hidden, *([_HEADS] if depth else [])]
        missing = next((name for name in (*trained, *_FROZEN) if name not in held), None)
        if missing is not None:
            raise UserError(f"{what} was not made by 'vmaf-tune train predictor' ({missing} is not in it)")
        self.depth, self.slots, at = depth, [], 0
        for name in trained:
            size = held[name].size
            self.slots.append(Slot(name=name, shape=held[name].shape, begin=at, end=at + size))
            at += size
        self.theta = np.concatenate([held[name].ravel() for name in trained]).astype(np.float32)
        self._frozen = {name: torch.from_numpy(held[name].copy()).to(device) for name in _FROZEN}

    def tensor(self, rows: Rows) -> torch.Tensor:
        """Rows where the network computes."""
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self._device)

    def raw(self, theta: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """VMAF at the knots of each row's curve, made to fall, not yet kept within 0 to 100; shape (n, K).

        Args:
            theta: all weights, shape (p,).
            rows: as vmaftune_plugins.trainers.encoded makes them, shape (n, d + 5).
        """
        part = {slot.name: theta[slot.begin : slot.end].view(slot.shape) for slot in self.slots}
        curves = len(self.contract.curves)
        first, second, share = rows[:, FIRST].long(), rows[:, SECOND].long(), rows[:, SHARE, None]
        one_hot = torch.nn.functional.one_hot
        curve = (1.0 - share) * one_hot(first, curves) + share * one_hot(second, curves)
        inputs = self._inputs(rows[:, :-BEYOND], curve)
        total = inputs @ part[_STRAIGHT] + part[_BIAS]
        if self.depth:
            hidden = inputs
            for n in range(self.depth):
                hidden = torch.tanh(hidden @ part[f"hidden_weight_{n}"] + part[f"hidden_bias_{n}"])
            total = total + hidden @ part[_HEADS]
        knots = torch.einsum("nc,nck->nk", curve, total.view(len(rows), curves, -1))
        return knots.flip(1).cummax(1).values.flip(1)

    def scores(self, theta: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """VMAF at each row's CRF, linear between the knots, shape (n,).

        What lies outside 0 to 100 is kept within, but its gradient passes: a curve that was pushed too high must come down.
        """
        raw = self.raw(theta, rows)
        bounded = raw + (raw.clamp(0.0, 100.0) - raw).detach()
        place = rows[:, PLACE]
        left = place.floor().clamp(0, self.contract.knots - 2)
        share = (place - left)[:, None]
        at = left.long()[:, None]
        return ((1.0 - share) * bounded.gather(1, at) + share * bounded.gather(1, at + 1))[:, 0]

    def predicted(self, theta: np.ndarray, rows: Rows) -> np.ndarray:
        """VMAF at each row's CRF, shape (n,)."""
        with torch.no_grad():
            predicted: np.ndarray = self.scores(self.tensor(theta), self.tensor(rows)).cpu().numpy()
        return predicted

    def difference(self, theta: np.ndarray, content: bytes, rows: Rows) -> float:
        """Largest difference between these weights in torch and a file in onnxruntime, over the knots of rows, in VMAF."""
        with torch.no_grad():
            own = self.raw(self.tensor(theta), self.tensor(rows)).clamp(0.0, 100.0).cpu().numpy()
        said = (mean for mean, _ in self._run(content, rows))
        # A value that is no number must not be lost in a maximum.
        return max(float(np.nan_to_num(np.abs(a - b), nan=np.inf).max()) for a, b in zip(said, own, strict=True))

    def deviations(self, rows: Rows) -> np.ndarray:
        """Distance of each row's score from what the file expects, in standard deviations of its own, shape (n,)."""
        found, last = [], self.contract.knots - 1
        for row, (mean, covariance) in zip(rows, self._run(self._content, rows), strict=True):
            at = interpolation(np.array([float(row[PLACE])]), 0.0, last, last + 1)[0]
            variance = max(float(at @ covariance @ at), _LEAST_VARIANCE)
            found.append(abs(float(row[SCORE]) - float(at @ mean)) / math.sqrt(variance))
        return np.array(found)

    def _run(self, content: bytes, rows: Rows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Mean and covariance at the knots of each row's curve, by onnxruntime."""
        model, each = open_model(content, "the model in training"), np.eye(len(self.contract.curves))
        for row in rows:
            first, second, share = int(row[FIRST]), int(row[SECOND]), float(row[SHARE])
            yield model.run(row[:-BEYOND], (1.0 - share) * each[first] + share * each[second])

    def file(self, theta: np.ndarray) -> bytes:
        """A copy of the ONNX file with these weights in it."""
        model = onnx.load_from_string(self._content)
        place_of = {initializer.name: initializer for initializer in model.graph.initializer}
        for slot in self.slots:
            value = np.ascontiguousarray(theta[slot.begin : slot.end].reshape(slot.shape), dtype=np.float32)
            place_of[slot.name].CopyFrom(numpy_helper.from_array(value, slot.name))
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _inputs(self, features: torch.Tensor, curve: torch.Tensor) -> torch.Tensor:
        """Scaled as the graph does it, with the file's own scaler; shape (n, expanded)."""
        frozen = self._frozen
        lacking = (frozen["ceiling"] - features[:, frozen["pilot_places"]]).clamp(0.0, 100.0)
        inputs = torch.cat([features, torch.log(lacking + 1.0)], 1)
        family = curve @ frozen["family_of_curve"]
        centred = (inputs - family @ frozen["scaler_mean"]) / (family @ frozen["scaler_spread"])
        scaled = torch.minimum(torch.maximum(centred, frozen["least"]), frozen["most"])
        pilot = scaled[:, FIRST_PILOT:]
        own = [pilot * (family @ frozen[f"is_{name}"]) for name in FAMILIES]
        return torch.cat([scaled[:, :FIRST_PILOT], *own, family @ frozen["family_sign"]], 1)

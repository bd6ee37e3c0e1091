"""The designs that are compared, and the one that ships."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Design:
    """How a predictor is built and trained.

    Attributes:
        name: in tables.
        hidden: widths of the hidden layers, of tanh units; none makes the model linear.
        members: networks whose mean is the prediction.
        shared: one network for all curves, with a head for each; otherwise each curve has its own.
        decay: weight decay, relative to one over the square root of the number of curves trained on.
        features: ``all``; ``pilot``; ``cheap``, all but the pilots; ``packets``, what needs no picture; or ``none``.
        components: principal components of the curves that are predicted.
        steps, learning_rate: of Adam, the rate falling to zero along a cosine.
    """

    name: str
    hidden: tuple[int, ...] = (16,)
    members: int = 4
    shared: bool = True
    decay: float = 0.6
    features: str = "all"
    components: int = 4
    steps: int = 300
    learning_rate: float = 0.01


SHIPPED = Design(name="4 MLPs of 24", hidden=(24,))

DESIGNS = (
    Design(name="mean curve", hidden=(), features="none", members=1),
    Design(name="linear, packets only", hidden=(), features="packets", members=1),
    Design(name="linear, no pilot", hidden=(), features="cheap", members=1),
    Design(name="linear", hidden=(), members=1),
    Design(name="MLP 16, no pilot", features="cheap", members=1),
    Design(name="MLP 16, pilot only", features="pilot", members=1),
    Design(name="MLP 8", hidden=(8,), members=1),
    Design(name="MLP 16", members=1),
    Design(name="MLP 32", hidden=(32,), members=1),
    Design(name="MLP 16x16", hidden=(16, 16), members=1),
    Design(name="MLP 16x16, one per encoder", hidden=(16, 16), members=1, shared=False),
    Design(name="4 MLPs of 16x16", hidden=(16, 16)),
    SHIPPED,
)

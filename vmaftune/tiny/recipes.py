"""How tiny models are trained: the two recipes, and the parts they differ in."""

from __future__ import annotations

from types import MappingProxyType

import msgspec


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Adam on the mean squared error of each frame's score.

    Attributes:
        name: on the command line.
        epochs: passes over the table.
        batch: frames of a step.
        learning_rate: of Adam, at the beginning.
        cosine: the rate falls to zero along a half cosine, instead of staying.
        scaler: inputs are standardised over the frames that are learned from (StandardScaler), and so is the target, whose
            scale is folded into the last layer afterwards.
        clip: the score is clipped to 0 to 100 in the graph, as libvmaf clips its own; what is beyond a clipped target is no
            error.
        patience: epochs without a better error on watched sources after which training ends; None trains all epochs.
    """

    name: str
    epochs: int
    batch: int = 256
    learning_rate: float = 1e-3
    cosine: bool = False
    scaler: bool = False
    clip: bool = False
    patience: int | None = None


RECIPES = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(name="v1", epochs=30),
            Recipe(name="v2", epochs=90, scaler=True, clip=True, cosine=True, learning_rate=1e-2),
        )
    }
)
"""By name: ADR-0203's, and ADR-0244's."""

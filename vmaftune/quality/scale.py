"""Of what scale scores are: VMAF of another model, pool or size is another number for the same encode."""

from __future__ import annotations

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Of what scale the scores of a run are.

    Attributes:
        unlike: how they differ from the scores that predictors are trained on, in words, such as ``pool min``; empty where
            they do not. Those are means over all frames, by the model and at the size that are chosen for the source where
            nothing else was asked for, of the source as it is.
    """

    unlike: tuple[str, ...] = ()

    @property
    def usual(self) -> bool:
        """Whether scores are of the scale that predictors are trained on."""
        return not self.unlike


USUAL = Scale()
"""That which predictors are trained on."""

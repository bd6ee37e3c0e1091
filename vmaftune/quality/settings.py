"""How scores are asked for: the metric, and what a user says of it."""

from __future__ import annotations

from vmaftune.quality.metric import Asked, Comparison, Metric, Pictures
from vmaftune.quality.scale import Scale
from vmaftune.quality.vmaf import VMAF


class ScoreSettings(Asked, frozen=True, kw_only=True):
    """What a user asked for of scores; as Asked, and:

    Attributes:
        metric: what is measured (``--metric``).
        pool: how the scores of frames become one (``--pool``).
    """

    metric: Metric = VMAF
    pool: str = "mean"

    def decide(self, pictures: Pictures) -> Comparison:
        """How pictures are compared. Raises as Metric.decide."""
        return self.metric.decide(self, pictures)

    def scale(self, pictures: Pictures) -> Scale:
        """Of what scale the scores of these pictures are. Raises as Metric.decide."""
        return self.metric.scale(self, pictures, self.pool)

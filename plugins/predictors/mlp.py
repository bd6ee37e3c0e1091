"""``mlp``: curves from a network that was trained on measured ones."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from vmaftune import hookimpl
from vmaftune.contract import PluginContext, Predictor, PredictorSpec

VERSION = "1.0.0"
SHIPPED_MODEL = "mlp_v1"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings in ``[plugins.mlp]``.

    Attributes:
        model: id of the model, as ``vmaf-tune models list`` shows it, or ``latest-stable``.

    Raises:
        ValueError: there is no predictor of that name. It is looked for here, since a wrong name in a configuration ends the
            run before anything is encoded, while a predictor that fails later is only left out.
    """

    model: str = SHIPPED_MODEL

    def __post_init__(self) -> None:
        if self.model == SHIPPED_MODEL:
            return
        from vmaftune import models
        from vmaftune.nearest import meant

        if self.model == models.LATEST_STABLE:
            models.find(self.model)
            return
        there = [model.id for model in models.entries() if model.kind == "predictor"]
        if self.model not in there:
            named = f"{', '.join(there) or 'none'}{meant(self.model, there)}"
            raise ValueError(f"model = {self.model!r}: no such predictor is registered; there is: {named}")


def _make(context: PluginContext) -> Predictor:
    from vmaftune_plugins.predictors.mlp_curves import MlpPredictor

    return MlpPredictor(context.settings.model)


@hookimpl
def vmaftune_predictors() -> Iterator[PredictorSpec]:
    yield PredictorSpec(
        name="mlp",
        version=VERSION,
        factory=_make,
        settings=Settings,
        default_rank=10,
        summary="a network trained on measured curves",
        thread_safe=True,
    )

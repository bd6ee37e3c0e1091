"""Settings of ``mlp`` (``[plugins.mlp]``)."""

from __future__ import annotations

import msgspec

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

"""Which scale is meant where a person or a file names one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from vmaftune.errors import UserError
from vmaftune.nearest import meant
from vmaftune.quality.metric import Asked, Metric, Pictures
from vmaftune.quality.scale import Scale

_ANY = Pictures(width=1920, height=1080)


def named_scale(identity: str, metrics: Mapping[str, Metric], what: str) -> Scale:
    """The scale of that identity, as a search has it: a depth that is the metric's own need not be named.

    Args:
        metrics: that there are, by name.
        what: was given, for errors.

    Raises:
        UserError: it is the identity of none, or its metric is not installed.
    """
    try:
        scale = Scale.named(identity)
    except ValueError as error:
        raise UserError(f"{what}: {error}") from error
    metric = metrics.get(scale.metric)
    if metric is None:
        there = ", ".join(sorted(metrics))
        raise UserError(
            f"{what}: no metric {scale.metric} is installed; there is: {there}{meant(scale.metric, metrics)}"
        )
    try:
        metric.check_pool(scale.pool)
        decided = metric.decide(Asked(model=scale.model or None, size=scale.size), _ANY)
    except UserError as error:
        if scale.model.startswith("file-"):  # which file that was, nobody here knows
            return scale
        raise UserError(f"{what}: {error}") from error
    return msgspec.structs.replace(scale, depth=metric.depth(decided))

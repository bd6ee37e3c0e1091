"""Values that are said of an encoder, or of a metric: they go with the one beside them, and with no other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vmaftune.config.schema import SearchTable
from vmaftune.quality.scale import USUAL
from vmaftune.quality.targets import TARGET_OPTIONS, metric_named

BOUND = ("preset", "pix_format", "min_crf", "max_crf", "crf_increment", "enc")
_MODELS = ("vmaf_model", "vmaf_generation")
_OF_A_METRIC = ("metric", *TARGET_OPTIONS, "tolerance", "shot_floor", *_MODELS)
_ONE_OF = (TARGET_OPTIONS, _MODELS)
"""Options that say one thing in several ways: any of them replaces all."""


def other_encoder(named: str | None, before: str | None) -> bool:
    """Whether ``named`` replaces the encoder that values were said of; where none was, they are of whichever is used."""
    return named is not None and before is not None and named != before


def _other_metric(named: str | None, before: str | None) -> bool:
    """The same of metrics; where none was named, values are of the usual one."""
    return named is not None and named != (before or USUAL.metric)


def search_for(search: SearchTable, options: Mapping[str, Any]) -> SearchTable:
    """The table without what it says of its own encoder or metric, where options name another one.

    Raises:
        UserError: the options name two metrics.
    """
    below = {name: value for name, value in msgspec.structs.asdict(search).items() if value is not None}
    kept = _beneath(below, options)
    changed = {name: kept.get(name) for name in {*below, *kept} if kept.get(name) != below.get(name)}
    return msgspec.structs.replace(search, **changed) if changed else search


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Options over options; those above with another encoder or metric keep nothing that was said of the one below.

    Raises:
        UserError: one of the two names two metrics.
    """
    return {**_beneath(below, above), **above}


def _beneath(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of options that lie below others."""
    gone: set[str] = set()
    if other_encoder(above.get("encoder"), below.get("encoder")):
        gone.update(BOUND)
    metric, named = metric_named(below), metric_named(above)
    for names in _ONE_OF:
        if any(above.get(name) is not None for name in names):
            gone.update(names)
    kept = {name: value for name, value in below.items() if name not in gone}
    if _other_metric(named, metric):
        return {name: value for name, value in kept.items() if name not in _OF_A_METRIC}
    if metric is not None and named is None and metric_named(kept) is None:  # a target that is gone had named it
        kept["metric"] = metric
    return kept

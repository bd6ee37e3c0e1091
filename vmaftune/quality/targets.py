"""The names under which a target is asked for: ``--min-score`` of any metric, and one of its own for some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vmaftune.errors import UserError

ANY = "min_score"
TARGETS = {"min_vmaf": "vmaf", "min_xpsnr": "xpsnr"}
"""Options that name a metric and its target at once, by the metric; each is ``--metric`` and ``--min-score`` in one word."""

TARGET_OPTIONS = (ANY, *TARGETS)


def flag(name: str) -> str:
    """An option as the command line writes it."""
    return f"--{name.replace('_', '-')}"


def target_option(metric: str) -> str:
    """The option that a person gives a target of this metric with."""
    return flag(next((option for option, name in TARGETS.items() if name == metric), ANY))


def metric_named(options: Mapping[str, Any]) -> str | None:
    """Name of the metric that options ask for, by ``metric`` or by a target of its own; None where they do not say.

    Raises:
        UserError: they ask for two.
    """
    given = {option: metric for option, metric in TARGETS.items() if options.get(option) is not None}
    named: str | None = options.get("metric")
    if len(given) > 1:
        raise UserError(f"{' and '.join(map(flag, given))} are of two metrics; give one")
    for option, metric in given.items():
        if named not in (None, metric):
            raise UserError(f"{flag(option)} is of {metric.upper()}; name the target with {flag(ANY)}")
        named = metric
    return named


def target_named(options: Mapping[str, Any]) -> float | None:
    """The target that options ask for; None where they ask for none.

    Raises:
        UserError: they ask for two.
    """
    given: dict[str, float] = {name: options[name] for name in TARGET_OPTIONS if options.get(name) is not None}
    if len(set(given.values())) > 1:
        both = " and ".join(f"{flag(name)} {value:g}" for name, value in given.items())
        raise UserError(f"{both} are two targets; give one")
    return next(iter(given.values()), None)

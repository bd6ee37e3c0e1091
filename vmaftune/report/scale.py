"""Where values stand on a chart: linear and logarithmic axes with round ticks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


def plain(value: float) -> str:
    """``93``, ``0.25``, ``1,200``."""
    return f"{value:,.4f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of a chart.

    Attributes:
        low, high: values at its ends; both above 0 where ``log``.
        label: what it shows, with its unit.
        log: equal steps are equal ratios.
        whole: ticks are at whole numbers only.
        text: how a tick is written.
    """

    low: float
    high: float
    label: str
    log: bool = False
    whole: bool = False
    text: Callable[[float], str] = plain

    def share(self, value: float) -> float:
        """Place along the axis, 0 at ``low`` and 1 at ``high``."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """At most about ``most`` round values on the axis."""
        ticks = log_ticks(self.low, self.high, most) if self.log else linear_ticks(self.low, self.high, most)
        return [tick for tick in ticks if tick.is_integer()] if self.whole else ticks


def round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten that is at least so much."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high]."""
    step = round_step((high - low) / max(1, most))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """1, 2 and 5 times powers of ten within [low, high], or the powers alone where those are too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        found = [f * 10.0**power for power in powers for f in factors if low <= f * 10.0**power <= high]
        if len(found) <= most:
            break
    return found

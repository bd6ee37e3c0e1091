"""What searches needed, and what that comes to for each method and group of searches."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RULE, BISECTION = "ab-av1-rule", "bisection"

_NEAR_CRF = {"libsvtav1": 2.5}
_NEAR_CRF_ELSE = 1.5
_FEW_PROBES = 3


@dataclass
class Tally:
    """What one method needed for one search, and what it found.

    Attributes:
        encoder: ``NAME:PRESET``.
        target: VMAF.
        clip, method: by name.
        predictor: name and version; empty for rules.
        captures: of other clips, that a correction rested on.
        verified, explored: probes asked for.
        verify_seconds, explore_seconds, feature_seconds: wall time of those, and of the pass over the source.
        last_seconds: wall time of the last verifying probe, which is near the target.
        predicted_crf: the first guess; None for rules.
        crf, vmaf: the result; None where the target was not met.
        stop: why the search ended; empty for rules.
        steps: CRF=VMAF of each verifying and CRF~VMAF of each exploring probe, in order.
    """

    encoder: str
    target: float
    clip: str
    method: str
    predictor: str = ""
    captures: int = 0
    verified: int = 0
    explored: int = 0
    verify_seconds: float = 0.0
    explore_seconds: float = 0.0
    feature_seconds: float = 0.0
    last_seconds: float = 0.0
    predicted_crf: float | None = None
    crf: float | None = None
    vmaf: float | None = None
    stop: str = ""
    steps: str = ""

    @property
    def seconds(self) -> float:
        """Wall time of the whole search."""
        return self.verify_seconds + self.explore_seconds + self.feature_seconds

    @property
    def guess_is_near(self) -> bool | None:
        """Whether the first guess was near the result; None without either."""
        if self.predicted_crf is None or self.crf is None:
            return None
        near = _NEAR_CRF.get(self.encoder.partition(":")[0], _NEAR_CRF_ELSE)
        return abs(self.predicted_crf - self.crf) <= near

    @property
    def fields(self) -> dict[str, object]:
        """A line of the table of all searches."""
        return {**vars(self), "steps": self.steps.strip(), "seconds": self.seconds, "guess_is_near": self.guess_is_near}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method in one group of searches.

    Attributes:
        group, method: by name.
        searches: how many.
        verified, most, explored: verifying probes a search, mean and most; exploring ones, mean.
        within_few: share of searches with at most three verifying probes.
        to_rule: wall time as a ratio to that of ab-av1's rule; NaN where that was not run.
        to_probe: wall time as a ratio to as many verifying probes near the target.
        away: mean distance of the results from the target, in VMAF; NaN without a result.
        failed: searches that failed; see failures.
        near: share of results that the first guess was near; NaN for rules.
    """

    group: str
    method: str
    searches: int
    verified: float
    most: int
    explored: float
    within_few: float
    to_rule: float
    to_probe: float
    away: float
    failed: int
    near: float


def groups(tallies: Sequence[Tally]) -> dict[str, list[Tally]]:
    """Searches by encoder and target, by encoder, and all; none twice under two names."""
    found: dict[str, list[Tally]] = {}
    encoders = dict.fromkeys(t.encoder for t in tallies)
    for encoder in encoders:
        mine = [t for t in tallies if t.encoder == encoder]
        targets = sorted({t.target for t in mine})
        for target in targets:
            found[f"{encoder} {target:g}"] = [t for t in mine if t.target == target]
        if len(targets) > 1:
            found[encoder] = mine
    return found if len(encoders) == 1 else {**found, "all": list(tallies)}


def failures(tallies: Sequence[Tally]) -> list[Tally]:
    """Searches whose result is below the target, or that found none although another method did."""
    met = {(t.encoder, t.target, t.clip) for t in tallies if t.vmaf is not None and t.vmaf >= t.target}
    return [
        t
        for t in tallies
        if (t.vmaf is None and (t.encoder, t.target, t.clip) in met) or (t.vmaf is not None and t.vmaf < t.target)
    ]


def rows(group: str, tallies: Sequence[Tally]) -> list[Row]:
    """A row for each method, all in relation to the others of the group."""
    failed = failures(tallies)
    # One yardstick for all methods: each one's own last probe would favour whose last probe happened to be slow.
    probe = statistics.mean(t.last_seconds for t in tallies)
    rule = _mean(t.seconds for t in tallies if t.method == RULE)
    found = []
    for method in dict.fromkeys(t.method for t in tallies):
        mine = [t for t in tallies if t.method == method]
        seconds = _mean(t.seconds for t in mine)
        found.append(
            Row(
                group=group,
                method=method,
                searches=len(mine),
                verified=_mean(t.verified for t in mine),
                most=max(t.verified for t in mine),
                explored=_mean(t.explored for t in mine),
                within_few=_mean(t.verified <= _FEW_PROBES for t in mine),
                to_rule=seconds / rule,
                to_probe=seconds / probe,
                away=_mean(abs(t.vmaf - t.target) for t in mine if t.vmaf is not None),
                failed=sum(t.method == method for t in failed),
                near=_mean(t.guess_is_near for t in mine if t.guess_is_near is not None),
            )
        )
    return found


def table(found: Sequence[Row]) -> list[str]:
    """Lines for a screen."""
    wide = max(len(row.group) for row in found)
    lines = [
        f"{'':{wide}s} {'':11s} {'searches':>8s} {'verified':>8s} {'most':>4s} {'explored':>8s} {'<=' + str(_FEW_PROBES):>5s} "
        f"{'time/ab-av1':>11s} {'time/probe':>10s} {'|VMAF-T|':>8s} {'failed':>6s} {'guess near':>10s}"
    ]
    for row in found:
        lines.append(
            f"{row.group:{wide}s} {row.method:11s} {row.searches:8d} {row.verified:8.2f} {row.most:4d} {row.explored:8.2f} "
            f"{_percent(row.within_few):>5s} {_number(row.to_rule, 2):>11s} {row.to_probe:10.2f} "
            f"{_number(row.away, 3):>8s} {row.failed:6d} {_percent(row.near):>10s}"
        )
    return lines


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return statistics.fmean(listed) if listed else math.nan


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.0%}"


def _number(value: float, places: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{places}f}"

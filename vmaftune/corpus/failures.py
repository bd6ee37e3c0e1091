"""What could not be measured, and the reasons in few lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.media.facts import shown

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A source that cannot be measured, or one probe of it that failed.

    Attributes:
        path: the source's file.
        probe: which probe, such as ``640x360 libx264 medium CRF 24``; None where it is the source as a whole.
        reason: one line.
    """

    path: Path
    probe: str | None
    reason: str

    def __str__(self) -> str:
        name = shown(self.path.name)
        if self.probe is None:
            return self.reason if name in self.reason else f"{name}: {self.reason}"
        return f"{name} {self.probe}: {self.reason}"


def summary(failures: Sequence[Failure]) -> list[str]:
    """A line for each reason: how many failed for it, and one of them. Names and numbers make no other reason."""
    groups: dict[tuple[bool, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        plain = failure.reason.replace(shown(failure.path), "").replace(shown(failure.path.name), "")
        groups[failure.probe is None, _NUMBER.sub("", plain)].append(failure)
    return [_line(group) for group in sorted(groups.values(), key=len, reverse=True)]


def _line(group: Sequence[Failure]) -> str:
    what = "source" if group[0].probe is None else "probe"
    return f"{len(group)} {what}s, such as {group[0]}" if len(group) > 1 else f"1 {what}: {group[0]}"

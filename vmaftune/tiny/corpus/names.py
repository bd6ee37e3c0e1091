"""Names of the Netflix layout: ``ref/<clip>_<fps>fps.yuv`` and ``dis/<clip>_<quality label>_<height>_<kbps>.yuv``.

Source: NFLX_dataset_public.py of Netflix/vmaf and ADR-0685. A clip's name may hold ``_`` itself; a label may not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vmaftune.encoders.spec import number
from vmaftune.errors import UserError
from vmaftune.media.facts import shown

RAW_SUFFIX = ".yuv"
_DISTORTED = re.compile(r"(?P<clip>.+)_(?P<label>[^_]+)_(?P<height>\d+)_(?P<kbps>\d+(?:\.\d+)?)", re.DOTALL)
_RATE = re.compile(r"(?P<clip>.+)_(?P<fps>\d+(?:\.\d+)?)fps", re.DOTALL)


class DistortedName(msgspec.Struct, frozen=True, kw_only=True):
    """What the name of a distorted file says.

    Attributes:
        clip: name that its reference begins with.
        label: of its quality; a number in Netflix's own corpus, encoder and CRF in ours.
        height: pixels it was encoded at, whatever it is stored at.
        kbps: bitrate in kilobits per second.
    """

    clip: str
    label: str
    height: int
    kbps: float

    def __str__(self) -> str:
        return f"{self.clip}_{self.label}_{self.height}_{number(self.kbps)}"


def parse_distorted(path: Path) -> DistortedName:
    """Read the name of a distorted file.

    Raises:
        UserError: it is not of this form.
    """
    found = _DISTORTED.fullmatch(path.stem)
    if found is None:
        raise UserError(
            f"dis/{shown(path.name)} is not named SOURCE_LABEL_HEIGHT_KBPS, as in BigBuckBunny_20_288_375.yuv; rename it"
        )
    clip, label, height, kbps = found.groups()
    return DistortedName(clip=clip, label=label, height=int(height), kbps=float(kbps))


def reference_name(clip: str, fps: float) -> str:
    """Name of a reference, without suffix."""
    return f"{clip}_{number(round(fps, 2))}fps"


def find_reference(name: DistortedName, path: Path, references: Sequence[Path]) -> Path:
    """The reference of a distorted file: named as its clip, with ``_<fps>fps`` behind it or, failing that, anything.

    Raises:
        UserError: there is none, or more than one.
    """
    exact = [each for each in references if name.clip in (each.stem, _without_rate(each.stem))]
    found = exact or [each for each in references if each.stem.startswith(f"{name.clip}_")]
    if not found:
        raise UserError(
            f"dis/{shown(path.name)} has no reference: no file in ref/ is named {shown(name.clip)} or begins with "
            f"{shown(name.clip)}_"
        )
    if len(found) > 1:
        names = " and ".join(f"ref/{shown(each.name)}" for each in found[:2])
        raise UserError(f"dis/{shown(path.name)} may be of {names}; leave one of them")
    return found[0]


def _without_rate(stem: str) -> str:
    found = _RATE.fullmatch(stem)
    return found["clip"] if found else stem

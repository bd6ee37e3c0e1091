"""The table of known sources that ships with the package."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import msgspec

_FILE = "known_sources.json"


class KnownSource(msgspec.Struct, frozen=True):
    """One measured source.

    Attributes:
        kind: of its content, such as ``animation``.
        features: in the order and units of vmaftune.contract.Features.
        vmaf: at the table's CRFs, 0 to 100.
    """

    kind: str
    features: tuple[float, ...]
    vmaf: list[float]


class KnownSources(msgspec.Struct, frozen=True):
    """What was measured of one encoder at one preset.

    Attributes:
        encoder, preset: which.
        feature_schema: that the features were measured under.
        crfs: where the curves are known, rising.
        sources: each with its features and its curve.
    """

    encoder: str
    preset: str
    feature_schema: int
    crfs: list[float]
    sources: list[KnownSource]


def load() -> tuple[KnownSources, str]:
    """The table, and a digest that changes whenever a number in it does."""
    content = files(__package__).joinpath(_FILE).read_bytes()
    return msgspec.json.decode(content, type=KnownSources), hashlib.sha256(content).hexdigest()[:8]

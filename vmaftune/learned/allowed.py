"""What may stand in a bundle: fields of these names, numbers, and words that we know. Nothing else is written, or read.

This keeps a plugin's mistake from carrying off a path or a name. It is no wall against a plugin that means harm: that one
is code on the host already.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.contract.features import NAMES
from vmaftune.host import versions

FIELDS = frozenset(
    {
        *("schema_version", "predictor_version", "feature_names", "presets", "captures", "sources", "absurd", "grain"),
        *("sums", "history"),
        *("host_uuid", "imported"),  # these must be empty: see _word
    }
)
"""Names of fields. Under ``presets`` stand the encoder's own presets, each with fields of these names."""

_BY_PRESET = "presets"
_COUNTS = frozenset({"schema_version", "captures", "sources", "absurd"})
_TERMS = frozenset({"level", "slope", "curvature", "x", *NAMES})
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}")
_LARGEST = 1e10
_DEEPEST = 6
_LARGEST_FEATURE = 4.0  # Features.scaled() ends there
_LARGEST_SUM = 2**56
_DAY_SECONDS = 86400
_FIRST_TIME, _LAST_TIME = 1e9, 1e10


def check_version(predictor_version: str) -> None:
    """Raise ValueError unless it can be what state is kept by (vmaftune.host.versions), and name a folder."""
    if not _VERSION.fullmatch(predictor_version):
        raise ValueError(f"{predictor_version!r:.60} is no version of a predictor")
    versions.scale_in(predictor_version)


Census = Counter[tuple[str, str]]
"""How many values there are, by field and kind: numbers, packed numbers or words."""


def census(content: dict[str, Any], predictor_version: str, encoder: EncoderSpec) -> Census:
    """What there is in what was learned of an encoder.

    Raises:
        ValueError: something may not be there; the text says where and what.
    """
    counts: Census = Counter()
    _check_fields(content, "", {"", predictor_version, *encoder.presets}, {"", *encoder.presets}, counts)
    return counts


def _check_fields(fields: Any, where: str, words: set[str], presets: set[str], counts: Census) -> None:
    if not isinstance(fields, dict):
        raise ValueError(f"{where or 'it'} must hold fields")
    for name, value in fields.items():
        place = f"{where}.{name!s:.40}" if where else f"{name!s:.40}"
        if name not in FIELDS:
            raise ValueError(f"the field {place} may not stand in a bundle")
        if name == _BY_PRESET and isinstance(value, dict):
            for preset, within in value.items():
                if preset not in presets:
                    raise ValueError(f"{place} holds {preset!r:.40}, which is no preset of the encoder")
                _check_fields(within, f"{place}.{preset or 'none'}", words, presets, counts)
        else:
            counts.update((name, kind) for kind in _kinds(value, name, place, words))


def _kinds(value: Any, name: str, place: str, words: set[str], depth: int = 0) -> Iterator[str]:
    """The kind of each value that is held."""
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        for one in value:
            yield from _kinds(one, name, place, words, depth + 1)
    elif isinstance(value, int | float):
        _check_number(value, name, place)
        yield "numbers"
    elif isinstance(value, str) and (_word(value, words) or _packed_numbers(value)):
        if value:
            yield "words" if _word(value, words) else "packed numbers"
    elif value is not None:
        raise ValueError(f"{place} holds {value!r:.40}, which is neither a number nor a word that may be there")


def _check_number(value: float, name: str, place: str) -> None:
    # In this order: int() takes no infinity.
    if not abs(value) <= _LARGEST or (name in _COUNTS and (value < 0 or value != int(value))):
        raise ValueError(f"{place} holds {value!r:.40}, which is no number that may be there")
    if _FIRST_TIME <= value <= _LAST_TIME and value % _DAY_SECONDS:
        raise ValueError(f"{place} holds a time of day: only days may be there")


def _word(text: str, words: set[str]) -> bool:
    """A preset, the predictor's version, or the name of a term; no hash and no identifier is one of these."""
    return text in words or (bool(text) and set(text.split(" ")) <= _TERMS)


def _packed_numbers(text: str) -> bool:
    """Features of a source, or sums, as base64 of little-endian numbers. Text in base64 is none of these: its letters would
    be numbers far too large."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    if not content or len(content) % 4:
        return False
    if len(content) == 4 * len(NAMES):
        numbers = np.frombuffer(content, "<f4")
        return bool(np.isfinite(numbers).all() and np.abs(numbers).max() <= _LARGEST_FEATURE)
    return len(content) % 8 == 0 and bool(np.all(np.abs(np.frombuffer(content, "<i8")) < _LARGEST_SUM))

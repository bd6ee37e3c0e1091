"""What is in force for a plugin, and where each value came from.

A plugin may take a table ``encoders`` with a table for each encoder, and in that a table ``presets``; what stands nearest to
the encode wins. That is a custom of settings, known here by its key names alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vmaftune.config.load import Key, LoadedConfig

_BARE = re.compile("[A-Za-z0-9_-]+")
_ENCODERS, _PRESETS, _ENABLED = "encoders", "presets", "enabled"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One setting.

    Attributes:
        key: within the plugin's table, such as ``lambda``.
        value: in force; None where nothing is set.
        file: that it came from; None for a default.
        place: dotted key in that file; None for a default.
    """

    key: str
    value: Any
    file: str | None = None
    place: str | None = None


def in_force(
    config: LoadedConfig, plugin: str, settings: msgspec.Struct, encoder: str | None, preset: str | None
) -> list[Value]:
    """All settings of a plugin for one encoder and preset; without an encoder, what is set for each of them too.

    Args:
        settings: of the plugin, validated.
    """
    values: dict[Key, Any] = dict(_leaves(msgspec.to_builtins(settings)))
    general = {key: value for key, value in values.items() if key[0] != _ENCODERS}
    table: Key = ("plugins", plugin)
    on = _placed(config, table, (_ENABLED,), (_ENABLED,), config.enabled.get(plugin, False))
    if encoder is None:
        narrower = {key: value for key, value in values.items() if key[0] == _ENCODERS and value is not None}
        return [on, *(_placed(config, table, key, key, value) for key, value in {**general, **narrower}.items())]
    levels: list[Key] = [(_ENCODERS, encoder), (_ENCODERS, encoder, _PRESETS, preset or "")]
    found = {(_ENABLED,): on, **{key: _placed(config, table, key, key, value) for key, value in general.items()}}
    for level in levels:
        for key, value in values.items():
            within = key[len(level) :]
            if key[: len(level)] != level or value is None or within[:1] in ((), (_PRESETS,)):
                continue
            if within != (_ENABLED,) or on.value:  # nothing is on for an encoder where the plugin is off
                found[within] = _placed(config, table, key, within, value)
    return list(found.values())


def _placed(config: LoadedConfig, table: Key, key: Key, shown: Key, value: Any) -> Value:
    file = config.places.get((*table, *key))
    place = None if file is None else dotted((*table, *key))
    return Value(key=dotted(shown), value=value, file=file, place=place)


def dotted(key: Key) -> str:
    """A key as TOML writes it, with quotes where it needs them."""
    return ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in key)


def _leaves(table: Mapping[str, Any], within: Key = ()) -> Iterator[tuple[Key, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*within, str(key)))
        else:
            yield (*within, str(key)), value

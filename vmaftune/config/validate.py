"""Turn a table into a validated struct, or say in one line which key of which file is wrong and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from vmaftune.errors import UserError

Settings = TypeVar("Settings", bound=msgspec.Struct)

_WHERE = re.compile(r" - at `(?:key in )?\$?(.*?)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


def validated(table: Mapping[str, Any], settings: type[Settings], origin: str, prefix: str = "") -> Settings:
    """Validate ``table`` against ``settings``.

    Args:
        origin: file that the table comes from.
        prefix: dotted name of the table within the file.

    Raises:
        UserError: with the file, the key, its value and what is allowed.
    """
    try:
        return msgspec.convert(table, settings)
    except msgspec.ValidationError as error:
        raise UserError(f"{origin}: {_explained(str(error), table, settings, prefix)}") from error


def _explained(message: str, table: Mapping[str, Any], settings: type[msgspec.Struct], prefix: str) -> str:
    where = _WHERE.search(message)
    path = [part for part in (where[1] if where else "").split(".") if part]
    text = _WHERE.sub("", message)
    key = ".".join([part for part in (prefix, *path) if part])
    if unknown := _UNKNOWN.match(text):
        allowed = ", ".join(sorted(_fields(settings, path)))
        return f"unknown key {'.'.join(filter(None, (key, unknown[1])))}; allowed there: {allowed or 'nothing'}"
    value: Any = table
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return f"{key or 'the file'} = {value!r}: {text[:1].lower()}{text[1:]}"


def _fields(settings: type[msgspec.Struct], path: list[str]) -> list[str]:
    """Names that the table at ``path`` may hold."""
    kind: Any = msgspec.inspect.type_info(settings)
    for part in path:
        if isinstance(kind, msgspec.inspect.DictType):
            kind = kind.value_type
        elif isinstance(kind, msgspec.inspect.StructType):
            kind = next((f.type for f in kind.fields if f.encode_name == part), None)
        if isinstance(kind, msgspec.inspect.UnionType):
            kind = next((t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType)), None)
    return [f.encode_name for f in kind.fields] if isinstance(kind, msgspec.inspect.StructType) else []

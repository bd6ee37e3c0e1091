"""Turn a table into a validated struct, or say in one line which key of which file is wrong and what is allowed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import inspect

from vmaftune.errors import UserError
from vmaftune.nearest import meant

Settings = TypeVar("Settings", bound=msgspec.Struct)

_LONGEST_SHOWN = 60


def validated(table: Mapping[str, Any], settings: type[Settings], origin: str, prefix: str = "") -> Settings:
    """Validate ``table`` against ``settings``.

    Args:
        origin: file that the table comes from.
        prefix: dotted name of the table within the file.

    Raises:
        UserError: with the file, the key, its value and what is allowed.
    """
    for name, number in _floats(table, prefix):
        if not math.isfinite(number):  # TOML has inf and nan, and no setting means anything by them
            raise UserError(f"{origin}: {name} = {number}: must be a finite number")
    try:
        return msgspec.convert(table, settings)
    except msgspec.ValidationError as error:
        problem = _in_table(table, settings, prefix) or f"{prefix or 'the file'}: {error}"
        raise UserError(f"{origin}: {problem}") from error


def _in_table(table: object, settings: type[msgspec.Struct], name: str) -> str | None:
    """The first thing that is wrong in a table, in words."""
    if not isinstance(table, Mapping):
        return f"{name} = {_shown(table)}: must be a table"
    hints = get_type_hints(settings, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(settings)}
    for key, value in table.items():
        if key in fields:
            problem = _in_value(value, hints[fields[key].name], _dotted(name, key))
        elif settings.__struct_config__.forbid_unknown_fields:
            allowed = f"allowed there: {', '.join(sorted(fields)) or 'nothing'}{meant(key, fields)}"
            problem = f"unknown key {_dotted(name, key)}; {allowed}"
        else:
            problem = None
        if problem is not None:
            return problem
    missing = next((key for key, field in fields.items() if field.required and key not in table), None)
    return None if missing is None else f"{_dotted(name, missing)} is missing"


def _in_value(value: object, hint: Any, name: str) -> str | None:
    kind = inspect.type_info(hint)
    if isinstance(kind, inspect.StructType):
        return _in_table(value, kind.cls, name)
    if isinstance(kind, inspect.DictType) and isinstance(value, Mapping) and len(get_args(hint)) == 2:
        within = (_in_value(held, get_args(hint)[1], _dotted(name, key)) for key, held in value.items())
        return next((problem for problem in within if problem is not None), None)
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        return f"{name} = {_shown(value)}: must be {_in_words(kind) or error}"
    return None


def _in_words(kind: inspect.Type) -> str:
    """What a value of this type may be; empty where there are no plain words for it."""
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description") or _in_words(kind.type))
    if isinstance(kind, inspect.UnionType):
        return " or ".join(filter(None, (_in_words(t) for t in kind.types if not isinstance(t, inspect.NoneType))))
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        what = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        return " ".join(filter(None, (what, _range(kind))))
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(_shown(value) for value in kind.values)
    if isinstance(kind, inspect.StrType):
        return "a text in quotes"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.DictType | inspect.StructType):
        return "a table"
    if isinstance(kind, inspect.ListType | inspect.VarTupleType | inspect.SetType):
        return ", each ".join(filter(None, ("a list", _in_words(kind.item_type))))
    return ""


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f"from {kind.ge:.9g} to {kind.le:.9g}"
    bounds = (("at least", kind.ge), ("above", kind.gt), ("at most", kind.le), ("below", kind.lt))
    return " and ".join(f"{word} {bound:.9g}" for word, bound in bounds if bound is not None)


def _floats(table: Mapping[str, Any], name: str) -> Iterator[tuple[str, float]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _floats(value, _dotted(name, key))
        elif isinstance(value, float):
            yield _dotted(name, key), value


def _dotted(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _shown(value: object) -> str:
    """A value about as TOML writes it."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."

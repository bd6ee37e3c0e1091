"""JSON of anything that msgspec knows, and of paths, whose names need not be UTF-8."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")

_STEERS = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]")
"""Of vmaftune.printable, in UTF-8: those that JSON does not escape anyway. They stand within its strings only."""


def encoded(value: object) -> bytes:
    """JSON on one line; a file name that is not UTF-8 keeps its bytes as lone surrogates, as Python has them.

    What could steer a terminal is escaped as JSON does it: the value is the same.
    """
    try:
        return _STEERS.sub(_escaped, msgspec.json.encode(value, enc_hook=_from_path))
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value, enc_hook=_from_path)).encode()


def decoded(content: bytes | str, kind: type[Kind]) -> Kind:
    """What ``encoded`` made.

    Raises:
        ValueError: it is none.
    """
    try:
        return msgspec.json.decode(content, type=kind, dec_hook=to_path)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):  # lone surrogates, which only the other one takes, or no JSON
        return msgspec.convert(json.loads(content), kind, dec_hook=to_path)


def to_path(kind: type[Any], value: Any) -> Any:
    """msgspec's hook for paths, given as text or as they are."""
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


def _from_path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")

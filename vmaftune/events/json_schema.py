"""The JSON Schema (2020-12) of a line."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import msgspec

from vmaftune.events.schema import VERSION, Event


def schema() -> dict[str, Any]:
    """The schema of one event, made from the types that write them."""
    made = msgspec.json.schema(Event)
    for definition in made["$defs"].values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    for kind in get_args(Event):
        # A field with a default is written like any other; only one that may be unset can be missing.
        made["$defs"][kind.__name__]["required"] = [
            "event",
            *(f.encode_name for f in msgspec.structs.fields(kind) if f.default is not msgspec.UNSET),
        ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"vmaf-tune --events jsonl, version {VERSION}: one line",
        **made,
    }


def schema_text() -> str:
    """The schema as it is kept in a file."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"

"""The schema in docs/ is that of the types that write events, refuses what is not one, and is documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from tests.events.conftest import SCHEMA
from vmaftune.events.json_schema import schema_text
from vmaftune.events.schema import VERSION, Event, Failed, Probing

DOC = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")


def _line(**changed: Any) -> dict[str, Any]:
    event = msgspec.to_builtins(Probing(number=1, crf=30.0, purpose="verify", probability=0.5))
    return {name: value for name, value in {**event, **changed}.items() if value is not None}


def test_the_schema_that_is_kept_is_the_one_of_the_types() -> None:
    assert SCHEMA.read_text("utf-8") == schema_text(), "python -m vmaftune.events > docs/events.schema.json"


def test_every_line_says_its_version_and_its_time() -> None:
    for kind in get_args(Event):
        definition = json.loads(schema_text())["$defs"][kind.__name__]
        assert {"event", "v", "unix_seconds"} <= set(definition["required"])
        assert definition["properties"]["v"] == {"enum": [VERSION], **definition["properties"]["v"]}


def test_an_event_is_valid() -> None:
    jsonschema.validate(_line(), json.loads(schema_text()))
    jsonschema.validate(msgspec.to_builtins(Failed(exit_code=2, message="no")), json.loads(schema_text()))


@pytest.mark.parametrize(
    "changed",
    [{"v": 2}, {"v": None}, {"event": "nosuch"}, {"crf": "30"}, {"crf": None}, {"purpose": "pilot"}, {"number": 1.5}],
)
def test_what_is_no_event_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_line(**changed), json.loads(schema_text()))


@pytest.mark.parametrize("kind", get_args(Event))
def test_every_event_stands_in_the_documentation(kind: type[msgspec.Struct]) -> None:
    assert f"| `{kind.__struct_config__.tag}` |" in DOC

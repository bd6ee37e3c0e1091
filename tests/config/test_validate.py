"""A table is a valid struct, or one line says what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from vmaftune.config.validate import validated
from vmaftune.errors import UserError


class Inner(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    some_level: Annotated[int, msgspec.Meta(ge=1, le=9)] = 5


class Outer(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    needed: str
    share: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.5
    least: Annotated[float, msgspec.Meta(ge=2.0)] | None = None
    names: list[str] = []
    way: Literal["up", "down"] = "up"
    inner: Inner = msgspec.field(default_factory=Inner)
    many: dict[str, Inner] = {}
    anything: dict[str, Any] = {}


GOOD = {"needed": "x"}


def test_a_good_table_becomes_the_struct() -> None:
    made = validated({**GOOD, "many": {"a": {"some-level": 9}}, "least": 2}, Outer, "file")
    assert made.many["a"].some_level == 9 and made.least == 2.0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "file: t.needed is missing"),
        ({"needed": 3}, "file: t.needed = 3: must be a text in quotes"),
        ({**GOOD, "share": 1.0}, "file: t.share = 1.0: must be a number above 0 and below 1"),
        ({**GOOD, "least": 1}, "file: t.least = 1: must be a number at least 2"),
        ({**GOOD, "names": "x"}, 'file: t.names = "x": must be a list, each a text in quotes'),
        ({**GOOD, "way": "left"}, 'file: t.way = "left": must be "down" or "up"'),
        ({**GOOD, "inner": {"some-level": 0}}, "file: t.inner.some-level = 0: must be a whole number from 1 to 9"),
        ({**GOOD, "inner": {"some_level": 1}}, "file: unknown key t.inner.some_level; allowed there: some-level"),
        ({**GOOD, "inner": 1}, "file: t.inner = 1: must be a table"),
        ({**GOOD, "many": {"a": {}, "b": {"some-level": True}}}, "file: t.many.b.some-level = true: must be a whole"),
        ({**GOOD, "many": []}, "file: t.many = []: must be a table"),
        ({**GOOD, "anything": {"deep": {"x": float("inf")}}}, "file: t.anything.deep.x = inf: must be a finite number"),
        ({**GOOD, "names": ["long"] * 99 + [1]}, '..."long", ...: must be a list, each a text'),
    ],
)
def test_a_mistake_is_one_line_with_file_key_value_and_what_is_allowed(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        validated(table, Outer, "file", "t")
    told = str(caught.value)
    assert "\n" not in told and len(told) < 200
    assert told.startswith(said) or (said.startswith("...") and said[3:] in told)

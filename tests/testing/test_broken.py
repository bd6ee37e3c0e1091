"""Each check finds the plugin that was broken for it, and no other check does."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.testing import (
    broken_corrections,
    broken_encoders,
    broken_metrics,
    broken_predictors,
    broken_trainers,
    faults,
)
from vmaftune.testing import checks_for

KINDS = (broken_predictors, broken_corrections, broken_trainers, broken_encoders, broken_metrics)
BROKEN = [pytest.param(check, spec, id=f"{check}-{n}") for kind in KINDS for n, (check, spec) in enumerate(kind.BROKEN)]


@pytest.mark.parametrize(("check", "broken"), BROKEN)
def test_what_is_broken_fails_the_check_of_it_and_no_other(check: str, broken: Any) -> None:
    failed = faults.failures(broken)
    assert set(failed) == {check}, failed
    assert failed[check].strip() and "\n" not in failed[check]


@pytest.mark.parametrize("good", [spec for kind in KINDS for spec in kind.GOOD])
def test_what_is_not_broken_passes(good: Any) -> None:
    assert faults.failures(good) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_check_is_without_a_plugin_that_fails_it(kind: Any) -> None:
    names: Sequence[str] = [check.name for check in checks_for(kind.GOOD[0])]
    assert {check for check, _ in kind.BROKEN} == set(names)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_what_is_not_promised_is_not_checked(kind: Any) -> None:
    promised, not_promised = (len(list(checks_for(spec))) for spec in (kind.GOOD[0], kind.spec(kind.Good)))
    assert promised == not_promised + 2


def test_nothing_is_left_behind() -> None:
    assert not list(Path(tempfile.gettempdir()).glob("vmaf-tune-broken-plugin"))

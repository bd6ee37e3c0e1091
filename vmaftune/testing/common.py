"""Checks that hold for predictors, corrections and trainers alike, and what checks measure with."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
import numpy as np

from vmaftune.config.validate import validated
from vmaftune.errors import UserError
from vmaftune.testing.check import ContractError
from vmaftune.testing.process import Report
from vmaftune.testing.subject import Subject

SLACK = 5.0
"""A call may take so many times its budget before it is a fault: hosts that run checks are busy, and some are slow."""

THREADS = 4

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""What can be typed, and name a folder, anywhere."""

_CALLS = 9
_SWITCH_SECONDS = 1e-5

Result = TypeVar("Result")


# --- Checks ---------------------------------------------------------------------------------------------------------------


def check_name_can_be_typed(of: Subject[Any]) -> None:
    """Its name can be an argument and a table of the configuration: letters and digits, with . _ + - between them."""
    if PLAIN_NAME.fullmatch(of.spec.name) is None:
        raise ContractError(f"its name is {of.spec.name!r}")


def check_settings_have_valid_defaults(of: Subject[Any]) -> None:
    """It can be used without configuration, and what it then takes is what a configuration may say."""
    try:
        defaults = validated({}, of.spec.settings, "no configuration")
        again = validated(msgspec.to_builtins(defaults), of.spec.settings, "its defaults, written out")
    except UserError as error:
        raise ContractError(str(error)) from error
    if again != defaults:
        raise ContractError(f"its default settings, written out and read again, are {again}, not {defaults}")


def check_unknown_settings_are_refused(of: Subject[Any]) -> None:
    """A key that it does not know is refused, so that a slip in a configuration is found."""
    try:
        validated({"no_setting_is_called_that": 1}, of.spec.settings, "a configuration")
    except UserError:
        return
    raise ContractError("its settings take any key: give their struct forbid_unknown_fields=True")


FOR_ALL = (check_name_can_be_typed, check_settings_have_valid_defaults, check_unknown_settings_are_refused)


# --- What they measure with -----------------------------------------------------------------------------------------------


def only_wrote_in_its_folder(report: Report) -> None:
    """Raises ContractError with the first thing that was written elsewhere."""
    if report.writes:
        raise ContractError(f"it wrote outside its cache folder: {report.writes[0]}{_more(report.writes)}")


def reached_nobody(report: Report) -> None:
    """Raises ContractError with the first address that was reached."""
    if report.reaches:
        raise ContractError(f"it used the network: {report.reaches[0]}{_more(report.reaches)}")


def in_budget(of: Subject[Any], name: str, call: Callable[[], object]) -> None:
    """Hold the median of several calls to the declared budget, with SLACK."""
    took = float(np.median([milliseconds(call) for _ in range(_CALLS)]))
    if took > SLACK * of.spec.budget_ms:
        said = f"its spec declares budget_ms={of.spec.budget_ms:g}, and {SLACK:g} times that is allowed"
        raise ContractError(f"{name} takes {took:.1f} ms (median of {_CALLS} calls); {said}")


def milliseconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    call()
    return 1000.0 * (time.perf_counter() - began)


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Call all of them at the same time, each in its thread, with threads taking turns far more often than usual."""
    barrier = threading.Barrier(len(calls))

    def started(call: Callable[[], Result]) -> Result:
        barrier.wait()
        return call()

    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(started, calls))
    finally:
        sys.setswitchinterval(usual)


def _more(texts: Sequence[str]) -> str:
    return f", and {len(texts) - 1} more" if len(texts) > 1 else ""

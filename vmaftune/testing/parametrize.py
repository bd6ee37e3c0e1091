"""The two lines of pytest."""

from __future__ import annotations

from typing import Any

from vmaftune.contract.encoders import EncoderSpec
from vmaftune.host.manager import Spec
from vmaftune.quality.metric import Metric
from vmaftune.testing.suite import checks_for


def parametrize_with_checks(*what: str | Spec | EncoderSpec | Metric) -> Any:
    """A decorator that runs a test once for each check of what is named, as its argument ``check``.

    Args:
        what: as ``checks_for`` takes it.

    Raises:
        UserError: as of ``checks_for``.
    """
    import pytest  # nothing else here needs it

    checks = [check for one in what for check in checks_for(one)]
    return pytest.mark.parametrize("check", checks, ids=[f"{check.of}-{check.name}" for check in checks])

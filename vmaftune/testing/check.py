"""A check, and how it ends: well, with one line that says what is wrong, or with one that says why it was not made."""

from __future__ import annotations

import traceback
import unittest
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class ContractError(AssertionError):
    """A plugin breaks its contract. The text is one line."""


class NotChecked(unittest.SkipTest):
    """The check cannot be made on this host; pytest and unittest count it as skipped. The text is one line."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that a contract says, to be called without arguments.

    Attributes:
        of: name of the plugin's spec.
        name: of the check.
        contract: what it holds the plugin to, in one line.
        run: does so.
    """

    of: str
    name: str
    contract: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Make the check.

        Raises:
            ContractError: the plugin breaks its contract, or raised what it may not.
            NotChecked: it could not be checked.
        """
        try:
            self.run()
        except (ContractError, NotChecked):
            raise
        except (Exception, SystemExit) as error:
            raise ContractError(f"it raised {described(error)}") from error


def described(error: BaseException) -> str:
    """An error and where it was raised, in one line."""
    text = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{place}"

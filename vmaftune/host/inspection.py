"""Calls to what a correction has for ``vmaf-tune sidecar``: one that raises ends the command in one line."""

from __future__ import annotations

import functools
from typing import Any

from vmaftune.contract.inspection import Inspectable, LearnedCapture, LearnedState, LearnedTerm
from vmaftune.errors import PluginError, UserError, VmafTuneError
from vmaftune.host.run import called


class Inspection:
    """What one correction has learned. Methods as of Inspectable; each raises PluginError where the plugin fails.

    Args:
        name: of the correction.
        correction: as PluginRun makes it.
    """

    def __init__(self, name: str, correction: Inspectable) -> None:
        self.name, self._correction = name, correction

    def states(self) -> list[LearnedState]:
        return called(self.name, "states", self._correction.states)

    def captures(self, predictor_version: str, encoder: str) -> list[LearnedCapture]:
        return called(self.name, "captures", functools.partial(self._correction.captures, predictor_version, encoder))

    def terms(self, predictor_version: str, encoder: str, preset: str | None) -> list[LearnedTerm]:
        return called(self.name, "terms", functools.partial(self._correction.terms, predictor_version, encoder, preset))

    def reset(self, predictor_version: str, encoder: str) -> None:
        """Forget.

        Raises:
            VmafTuneError: that cannot be done here.
        """
        try:
            called(self.name, "reset", functools.partial(self._correction.reset, predictor_version, encoder))
        except PluginError as error:
            if isinstance(cause := error.__cause__, OSError):
                raise VmafTuneError(f"cannot forget {encoder}: {cause.strerror or cause}") from error
            raise

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        return called(self.name, "exported", functools.partial(self._correction.exported, predictor_version, encoder))

    def take_in(self, predictor_version: str, encoder: str, content: dict[str, Any], bundle: str) -> int:
        """Add what another host exported.

        Raises:
            UserError: it is not what this correction exports.
            VmafTuneError: it cannot be written.
        """
        take_in = functools.partial(self._correction.take_in, predictor_version, encoder, content, bundle)
        try:
            return called(self.name, "take_in", take_in)
        except PluginError as error:
            cause = error.__cause__
            if isinstance(cause, ValueError):
                raise UserError(f"{self.name} cannot take in {encoder} of {predictor_version}: {cause}") from error
            if isinstance(cause, OSError):
                raise VmafTuneError(f"cannot add {encoder}: {cause.strerror or cause}") from error
            raise

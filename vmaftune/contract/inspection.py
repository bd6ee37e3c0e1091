"""What ``vmaf-tune sidecar`` asks a correction."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import msgspec


class LearnedState(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction has learned of one encoder, for people.

    Attributes:
        predictor_version, encoder: whose residuals it was learned from; the version names the scale, see PluginContext.
        captures: how many, of how many ``sources``; ``absurd`` ones among them count for nothing.
        presets: captures by preset; "" where the encoder has none.
        status: ``learning | healthy | drifting | stale``.
        ratio: rms over the last ``window`` captures of what correction left, over what the prediction said that it would be.
        rms_before, rms_after: of the residuals in the window, in score; None while there are none.
        last_unix_seconds: when the last capture was made.
        size_bytes: of the file.
    """

    predictor_version: str
    encoder: str
    captures: int
    sources: int
    absurd: int
    presets: dict[str, int]
    status: str
    ratio: float | None
    rms_before: float | None
    rms_after: float | None
    window: int
    last_unix_seconds: float | None
    size_bytes: int


class LearnedCapture(msgspec.Struct, frozen=True, kw_only=True):
    """One capture that a correction still holds.

    Attributes:
        preset, crf_position, deviation, unix_seconds: as in Capture.
        residual, left: before and after the correction of its day, in score.
        absurd: whether it counts for nothing.
    """

    preset: str | None
    crf_position: float
    deviation: float
    residual: float
    left: float
    absurd: bool
    unix_seconds: float


class LearnedTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a correction: its name, its size in score per unit, and the standard deviation of that."""

    name: str
    weight: float
    deviation: float


@runtime_checkable
class Inspectable(Protocol):
    """What a correction has besides ``correct`` and ``learn`` if ``vmaf-tune sidecar`` is to look after it."""

    def states(self) -> list[LearnedState]:
        """All that was learned on this host, for every predictor version and encoder."""

    def captures(self, predictor_version: str, encoder: str) -> list[LearnedCapture]:
        """Captures that are still held, oldest first."""

    def terms(self, predictor_version: str, encoder: str, preset: str | None) -> list[LearnedTerm]:
        """What the correction is made of, largest first."""

    def reset(self, predictor_version: str, encoder: str) -> None:
        """Forget. Raises OSError where that cannot be done."""

    def exported(self, predictor_version: str, encoder: str) -> dict[str, Any]:
        """What was learned as JSON values, without anything that names a host or a source."""

    def take_in(self, predictor_version: str, encoder: str, content: dict[str, Any], bundle: str) -> int:
        """Add what another host exported; how many captures that were. What is known adds nothing, whether it was learned here
        or came in another ``bundle``, which is the hash of the whole: hosts hand on what they took in.

        Raises ValueError where the content is not what ``exported`` gives.
        """

"""The result of an encode that was made shot by shot."""

from __future__ import annotations

import msgspec

from vmaftune.quality.scored import Scored


class ShotReport(Scored, frozen=True, kw_only=True):
    """One shot.

    Attributes:
        start_frame, frames: which frames of the source.
        start_seconds: when the first is shown.
        crf: that it was encoded at.
        score, vmaf: mean over its frames, measured.
        bytes: of its video packets.
    """

    start_frame: int
    frames: int
    start_seconds: float
    crf: float
    score: float
    vmaf: float | None = None
    bytes: int


class WholeEncode(Scored, frozen=True, kw_only=True):
    """The whole at one CRF, encoded and scored: its mean score, and the bytes of its video packets."""

    crf: float
    score: float
    vmaf: float | None = None
    bytes: int


class OneCrf(msgspec.Struct, frozen=True, kw_only=True):
    """What one CRF for the whole comes to at the same measured score.

    Attributes:
        above, below: the two encodes nearest to it on either side.
        bytes: between them, linear in the logarithm, at that score.
        saved_percent: how much smaller the shots are together.
    """

    above: WholeEncode
    below: WholeEncode
    bytes: int
    saved_percent: float


class PerShotReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the whole was made.

    Attributes:
        target, tolerance: of the mean score over all frames.
        floor: score that no shot was to be below.
        shots: in order.
        probe_count, probe_frames: trial encodes of shots that were run, and the frames they encoded.
        rounds: how often the whole was encoded (where that changed it) and scored.
        one_crf: for comparison; None where that was not asked for, or two such encodes were not found.
    """

    target: float
    tolerance: float
    floor: float
    shots: list[ShotReport]
    probe_count: int
    probe_frames: int
    rounds: int
    one_crf: OneCrf | None = None

"""What the event hooks see."""

from __future__ import annotations

import msgspec

from vmaftune.quality.scale import USUAL, Scale


class ProbeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A trial encode that is about to run.

    Attributes:
        purpose: ``verify`` (all frames are scored, and this can be the result), ``explore`` (a part of them is scored, to see
            where to verify) or ``pilot`` (a fast encode that only feeds the prediction).
        number: 1 for the first of its search.
        encoder, preset, crf: the encode.
        frames: frames that are encoded.
        samples: in how many samples.
        scale: of what scale the score will be.
    """

    purpose: str
    number: int
    encoder: str
    preset: str | None
    crf: float
    frames: int
    samples: int
    scale: Scale = USUAL


class ProbeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that was made, or found in the cache.

    Attributes:
        purpose: ``verify`` or ``explore``, as in ProbeRequest.
        crf: of the encode.
        score: pooled over all frames of all samples; what ``explore`` expects that to be.
        deviation: standard deviation of ``score`` as an estimate of the whole's; 0 where the whole was scored.
        bitrate_kbps: of the encoded video, without container.
        encoded_percent: size of the encoded video as a percentage of the source's video.
        encode_seconds: wall time of encoding; of encoding and scoring together where one process did both.
        score_seconds: wall time of scoring where it ran apart, else 0.
        frames: frames scored.
        cached: True when no encode was run.
        scale: of what scale ``score`` is.
        vmaf: ``score`` where the metric is VMAF, else None; follows from the other two.
    """

    purpose: str
    crf: float
    score: float
    deviation: float
    bitrate_kbps: float
    encoded_percent: float
    encode_seconds: float
    score_seconds: float
    frames: int
    cached: bool
    scale: Scale = USUAL
    vmaf: float | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "vmaf", self.score if self.scale.metric == "vmaf" else None)

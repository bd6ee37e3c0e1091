"""What the event hooks see."""

from __future__ import annotations

import msgspec


class ProbeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A trial encode that is about to run.

    Attributes:
        purpose: ``verify`` (all frames are scored, and this can be the result), ``explore`` (a part of them is scored, to see
            where to verify) or ``pilot`` (a fast encode that only feeds the prediction).
        number: 1 for the first of its search.
        encoder, preset, crf: the encode.
        frames: frames that are encoded.
        samples: in how many samples.
    """

    purpose: str
    number: int
    encoder: str
    preset: str | None
    crf: float
    frames: int
    samples: int


class ProbeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that was made, or found in the cache.

    Attributes:
        purpose: ``verify`` or ``explore``, as in ProbeRequest.
        crf: of the encode.
        vmaf: pooled over all frames of all samples, 0 to 100; what ``explore`` expects that to be.
        deviation: standard deviation in VMAF of ``vmaf`` as an estimate of the whole's; 0 where the whole was scored.
        bitrate_kbps: of the encoded video, without container.
        encoded_percent: size of the encoded video as a percentage of the source's video.
        encode_seconds: wall time of encoding; of encoding and scoring together where one process did both.
        score_seconds: wall time of scoring where it ran apart, else 0.
        frames: frames scored.
        cached: True when no encode was run.
    """

    purpose: str
    crf: float
    vmaf: float
    deviation: float
    bitrate_kbps: float
    encoded_percent: float
    encode_seconds: float
    score_seconds: float
    frames: int
    cached: bool

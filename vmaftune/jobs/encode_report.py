"""The result of a full encode."""

from __future__ import annotations

import msgspec

from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.shots_report import PerShotReport
from vmaftune.quality.scored import ScoredReport


class EncodeReport(ScoredReport, frozen=True, kw_only=True):
    """What ``encode --json`` prints; the field names are a promise.

    Attributes:
        source, output: files, as they were named.
        search: how the CRF was found; None where it was given.
        crf, encoder, preset, pix_fmt: of the encode.
        frames: pictures in the output's video.
        duration_seconds: of the output's video.
        source_bytes, output_bytes: sizes of the files, all streams.
        video_bytes: size of the output's video packets.
        encoded_percent: that, in percent of the source's video packets.
        streams: one line for each stream kept, such as ``audio aac eng, copied``.
        encode_seconds, total_seconds: wall time of the encode alone, and of everything.
        checked: True where the output was decoded to its end and its frames and duration were found right.
        final_score, final_vmaf: score of the whole output, all frames; None where it was not measured.
        command: the ffmpeg command that made it; of one made shot by shot, the one that put it together.
        warnings: what a person was told beside this, a line each.
        per_shot: of an encode with a CRF for each shot, those; ``crf`` is then their mean over all frames.
        notes: what predictor and corrections have to say; where there was a search, what it says.
    """

    source: str
    output: str
    search: SearchReport | None
    crf: float
    encoder: str
    preset: str | None
    pix_fmt: str
    frames: int
    duration_seconds: float
    source_bytes: int
    output_bytes: int
    video_bytes: int
    encoded_percent: float
    streams: list[str]
    encode_seconds: float
    total_seconds: float
    checked: bool
    final_score: float | None
    final_vmaf: float | None = None
    command: str
    warnings: list[str] = msgspec.field(default_factory=list)
    per_shot: PerShotReport | None = None
    notes: list[str] = msgspec.field(default_factory=list)

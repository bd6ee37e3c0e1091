"""Results that are larger than their source: a copy would be smaller and lossless, so a person must hear of them."""

from __future__ import annotations

from pathlib import Path

from vmaftune.encoders.spec import number
from vmaftune.jobs.encode_report import EncodeReport
from vmaftune.jobs.search_report import SearchReport, result_probe
from vmaftune.media.facts import shown

_LIMIT = "--max-encoded-percent 100 refuses such a result"


def is_larger(encoded_percent: float | None, source_bytes: int | None = None, output_bytes: int | None = None) -> bool:
    """Whether an encode is larger than its source: its video, or where the sizes of both files are known, the whole file."""
    if encoded_percent is not None and encoded_percent > 100.0:
        return True
    return source_bytes is not None and output_bytes is not None and output_bytes > source_bytes


def search_is_larger(report: SearchReport) -> str | None:
    """One line where the samples of a search became larger than they were, so that the whole will."""
    percent = result_probe(report).encoded_percent
    if not is_larger(percent):
        return None
    return (
        f"at CRF {number(report.crf)} the samples take {percent:.1f} % of the source's video: the encode will be larger than"
        f" its source, where a copy is smaller and lossless; {_LIMIT}"
    )


def encode_is_larger(report: EncodeReport) -> str | None:
    """One line where an encode is larger than its source."""
    if is_larger(report.encoded_percent):
        return (
            f"the encode is larger than its source: {report.encoded_percent:.1f} % of the source's video, where a copy is"
            f" smaller and lossless; {_LIMIT}"
        )
    if is_larger(None, report.source_bytes, report.output_bytes):
        percent = 100.0 * report.output_bytes / max(1, report.source_bytes)
        return (
            f"{shown(Path(report.output).name)} is larger than its source, {percent:.1f} %, though its video is"
            f" {report.encoded_percent:.1f} % of the source's: other streams or the container grew"
        )
    return None

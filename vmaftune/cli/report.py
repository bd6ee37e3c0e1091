"""The result of a search in lines for a person."""

from __future__ import annotations

from vmaftune.encoders.spec import number
from vmaftune.jobs.search_report import SearchReport, encodes_made, result_probe


def result_lines(report: SearchReport) -> list[str]:
    """The result for a person."""
    best = result_probe(report)
    sure = f" ({100 * report.stop.probability:.0f} %)" if report.stop.probability is not None else ""
    lines = [
        f"crf {number(report.crf)}  {report.measure.text(report.score)} (verified, {best.frames} frames)  "
        f"{best.bitrate_kbps:.0f} kb/s, {best.encoded_percent:.1f} % of the source's video",
        f"{report.encoder} preset {report.preset or 'none'}, {report.pix_fmt}, {report.compared()}, "
        f"{report.pool}; {encodes_made(report)}, {report.total_seconds:.1f} s; {report.stop.text}{sure}",
    ]
    for plugin in report.plugins:
        if plugin.captures:
            scores = f"{plugin.captures} score{'' if plugin.captures == 1 else 's'}"
            shift = report.measure.difference(plugin.correction_score or 0.0)
            lines.append(f"{plugin.name}: {shift} at this CRF, learned from {scores} before")
        elif plugin.captures == 0:
            lines.append(f"{plugin.name}: had learned nothing of {report.encoder} before this search")
    if best.encoded_percent > 100.0:
        lines.append("the encode is larger than the source's video; a copy would be smaller and lossless")
    lines += ["encode with:", f"  {report.encode_command}"]
    return lines

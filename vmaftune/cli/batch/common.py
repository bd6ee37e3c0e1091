"""What the commands of a batch share: the option of the queue, and a line for each file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from vmaftune.encoders.spec import number
from vmaftune.jobs.larger import is_larger
from vmaftune.media.facts import shown
from vmaftune.quality.measure import Measure
from vmaftune.state.folders import cache_folder

QUEUE_FILE = "batch.sqlite"

queue_option = click.option(
    "--queue", type=click.Path(path_type=Path), metavar="FILE", help="The queue.  [default: one in the cache folder]"
)


def queue_path(given: Path | None, cache_dir: Path | None = None) -> Path:
    """The file of the queue."""
    return given or (cache_dir or cache_folder()) / QUEUE_FILE


def search_of(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a report that a search gave; empty where the CRF was given."""
    found: Mapping[str, Any] = report.get("search", report) or {}
    return found


def probes_of(report: Mapping[str, Any]) -> int:
    """Verifying and exploring encodes that were run."""
    search = search_of(report)
    return int(search.get("probe_count", 0)) + int(search.get("explore_count", 0))


def percent_of(report: Mapping[str, Any]) -> float | None:
    """Size of the encode in percent of the source's video: of the whole, or of the samples of the search."""
    if "encoded_percent" in report:
        return float(report["encoded_percent"])
    probes = search_of(report).get("probes", ())
    found = [p["encoded_percent"] for p in probes if p["crf"] == report["crf"] and p["purpose"] == "verify"]
    return float(found[0]) if found else None


def score_of(report: Mapping[str, Any]) -> float | None:
    """Of the whole encode where it was measured, else as the search verified it."""
    final = _score_of(report, "final_")
    return final if final is not None else _score_of(search_of(report))


def _score_of(report: Mapping[str, Any], which: str = "") -> float | None:
    """Reports in a queue that an older vmaf-tune filled have VMAF alone."""
    found: float | None = report.get(f"{which}score", report.get(f"{which}vmaf"))
    return found


def measure_of(report: Mapping[str, Any]) -> Measure:
    """How the scores of a report are written."""
    return msgspec.convert(report.get("measure", {}), Measure)


def larger_of(report: Mapping[str, Any]) -> bool:
    """Whether the encode, or the samples of a search, are larger than they were."""
    return is_larger(percent_of(report), report.get("source_bytes"), report.get("output_bytes"))


def name_of(path: Path) -> str:
    """A file as a person knows it: from the current folder on where it lies below that."""
    try:
        here = Path.cwd()
    except OSError:  # it was removed, or cannot be read
        return shown(path)
    return shown(path.relative_to(here) if path.is_relative_to(here) else path)


def failure_line(path: Path, reason: str) -> str:
    """Why a file failed; its name once."""
    for name in (shown(path), shown(path.name)):
        if name in reason and (name != shown(path.name) or reason.startswith(name)):
            return reason.replace(name, name_of(path))
    return f"{name_of(path)}: {reason}"


def result_line(path: Path, report: Mapping[str, Any] | None, reason: str, seconds: float) -> str:
    """What became of one file."""
    if report is None or reason:
        return failure_line(path, reason)
    score, percent, probes = score_of(report), percent_of(report), probes_of(report)
    parts = [f"{name_of(path)}: CRF {number(report['crf'])}"]
    parts += [measure_of(report).text(score)] if score is not None else []
    larger = ", larger than its source" if larger_of(report) else ""
    parts += [f"{percent:.1f} %{larger}"] if percent is not None else []
    parts += [f"{probes} probe{'' if probes == 1 else 's'}", f"{seconds:.1f} s"]
    return "  ".join(parts)

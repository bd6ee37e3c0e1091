"""Searches by several measures of quality on the same clips: what each costs, and how often it ends within tolerance.

    v0      VMAF v0.6.1, or its 4K model for large pictures; the mean
    v1      VMAF v1 (``--vmaf-generation v1``); the mean
    neg     VMAF v0.6.1 NEG; the mean
    p5      VMAF v0.6.1; the 5th percentile of frames
    xpsnr   XPSNR

Each search begins with nothing known and nothing learned. Prints a line for each search, and for each measure: verifying and
exploring probes of a search (mean), the share of searches that end within tolerance, how often the first guess lay within 1.5
CRF of the result (SVT-AV1: 2.5), and by how much the prior was wrong at the result (mean of true - predicted, and of its size,
in the measure's unit). Clips default to ten of ../shared/clips that the shipped models were not made from.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from search import HELD_OUT, SHARED

from vmaftune.encoders.spec import number
from vmaftune.errors import VmafTuneError
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.search import run_search
from vmaftune.jobs.search_report import SearchReport
from vmaftune.jobs.session import Session

MEASURES = {
    "v0": {"min_score": 93.0},
    "v1": {"min_score": 93.0, "vmaf_generation": "v1"},
    "neg": {"min_score": 93.0, "vmaf_model": "vmaf_v0.6.1neg"},
    "p5": {"min_score": 90.0, "pool": "p5"},
    "xpsnr": {"min_score": 41.0, "metric": "xpsnr"},
}
_NEAR_CRF = {"libsvtav1": 2.5}
_NEAR_CRF_ELSE = 1.5


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("files", nargs="*", type=Path, help="clips")
    parser.add_argument("--clips", type=int, metavar="N", help="the first N clips only")
    parser.add_argument("--encoder", default="libx264")
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--measures", default="v0,v1", help="of those above")
    arguments = parser.parse_args()
    clips = arguments.files or [path for prefix in HELD_OUT for path in sorted(SHARED.glob(f"{prefix}*"))]
    clips = clips[: arguments.clips]
    names = arguments.measures.split(",")
    if not clips:
        parser.error("no clips: name some (../shared/clips is not there)")
    if unknown := [name for name in names if name not in MEASURES]:
        parser.error(f"no measure {unknown[0]}; there is: {', '.join(MEASURES)}")
    reports: dict[str, list[SearchReport]] = {name: [] for name in names}
    for clip in clips:
        for name in names:
            with tempfile.TemporaryDirectory() as cache:
                options = {"encoder": arguments.encoder, "preset": arguments.preset, "cache_dir": Path(cache)}
                try:
                    report = run_search(Session({**options, **MEASURES[name]}, lambda text: None), clip, JobObserver())
                except VmafTuneError as error:
                    print(f"{clip.name[:40]:40s} {name:6s} {error}", flush=True)
                    continue
            reports[name].append(report)
            steps = " ".join(f"{number(p.crf)}{'~' if p.deviation else '='}{p.score:.2f}" for p in report.probes)
            print(
                f"{clip.name[:40]:40s} {name:6s} {report.stop.reason:18s} guess {report.predicted_crf:g}: {steps}",
                flush=True,
            )
    print(f"\n{'':6s} searches verified explored within-tolerance near-guess  bias  |error|")
    for name, found in reports.items():
        if found:
            print(f"{name:6s} {summary(found, _NEAR_CRF.get(arguments.encoder, _NEAR_CRF_ELSE))}")


def summary(reports: list[SearchReport], near: float) -> str:
    """The figures of one measure."""
    wrong = [report.score - report.predicted_score for report in reports]
    return (
        f"{len(reports):8d} {statistics.mean(r.probe_count for r in reports):8.2f}"
        f" {statistics.mean(r.explore_count for r in reports):8.2f}"
        f" {statistics.mean(r.stop.reason == 'within-tolerance' for r in reports):16.0%}"
        f" {statistics.mean(abs(r.predicted_crf - r.crf) <= near for r in reports):10.0%}"
        f" {statistics.mean(wrong):+5.2f} {statistics.mean(map(abs, wrong)):8.2f}"
    )


if __name__ == "__main__":
    main()

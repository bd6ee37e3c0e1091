"""The files of an evaluation."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vmaftune.contract.curves import FloatArray
from vmaftune.state import atomic
from vmaftune.tiny.evaluate import EvalReport
from vmaftune.tiny.plots import scatter_plots
from vmaftune.tiny.report import markdown
from vmaftune.tiny.table import FrameTable

REPORT_FILE = "eval_report.json"
READABLE_FILE = "report.md"
PLOTS_FILE = "scatter.png"


def write_report(folder: Path, report: EvalReport, judged: FrameTable, said: FloatArray) -> None:
    """Write eval_report.json, the readable report and its plots.

    Args:
        judged: the frames that the report is of, and ``said`` their scores, VMAF, shape (n,).

    Raises:
        OSError: something could not be written.
    """
    atomic.write(folder / PLOTS_FILE, scatter_plots(report, judged, said))
    atomic.write(folder / READABLE_FILE, markdown(report, PLOTS_FILE).encode())
    atomic.write(folder / REPORT_FILE, msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")

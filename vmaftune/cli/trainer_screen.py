"""What ``trainer status`` shows to a person."""

from __future__ import annotations

import time
from pathlib import Path

from vmaftune.trainer.status import Status


def status_lines(status: Status, place: Path) -> list[str]:
    """The status in a few lines."""
    durable = "each on the disk before it is acknowledged" if status.durable else "without durability"
    loss = "" if status.loss is None else f", loss {status.loss:.4g}"
    lines = [
        f"{status.plugin} at {place}, process {status.pid}, up {_span(status.uptime_seconds)}",
        f"  samples   {status.acknowledged} acknowledged ({durable}), {status.duplicates} of them twice, "
        f"{status.refused} messages refused, {status.failed} not kept; {status.connections} connections",
        f"  buffer    {status.buffered} of {status.taken} ever taken, {status.buffer_bytes / 1e6:.1f} MB",
        f"  training  step {status.step}{loss}, last {_ago(status.trained_unix_seconds)}",
        f"  spool     {status.spool_bytes / 1e6:.1f} MB in {status.spool_segments} files",
    ]
    if status.latency_ms is not None and status.latency_p99_ms is not None:
        lines.append(
            f"  latency   {status.latency_ms:.1f} ms to the step, {status.latency_p99_ms:.1f} ms at most in 99 %"
        )
    if status.checkpoint is None:
        lines.append(f"  model     no checkpoint since the start; {status.since_checkpoint} samples since the last")
    else:
        lines.append(f"  model     {status.checkpoint}, {'stable' if status.stable else 'rejected by the gate'}")
    if status.training_errors:
        lines.append(f"  errors    {status.training_errors}, the last: {status.last_error}")
    return lines


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _ago(unix_seconds: float | None) -> str:
    return "never" if unix_seconds is None else f"{_span(max(0.0, time.time() - unix_seconds))} ago"

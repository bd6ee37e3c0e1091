"""The metrics that come with vmaf-tune."""

from __future__ import annotations

from collections.abc import Iterator

from vmaftune import hookimpl
from vmaftune.contract import Metric
from vmaftune.quality.vmaf import VMAF
from vmaftune.quality.xpsnr import Xpsnr


@hookimpl
def vmaftune_metrics() -> Iterator[Metric]:
    yield VMAF
    yield Xpsnr()

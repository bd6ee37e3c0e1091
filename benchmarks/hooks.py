"""What the plugin host costs a probe: event hooks of ten plugins and a learning correction, without any encode.

Prints microseconds for each probe, median and most of the runs, with no plugin and with ten.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import types
from pathlib import Path

from vmaftune import hookimpl
from vmaftune.contract import ProbeRecord, ProbeRequest
from vmaftune.host.manager import PluginManager
from vmaftune.host.run import PluginChoice, PluginRun

REQUEST = ProbeRequest(purpose="verify", number=1, encoder="libx264", preset="medium", crf=23.0, frames=1, samples=1)
RECORD = ProbeRecord(
    purpose="verify",
    crf=23.0,
    score=93.0,
    deviation=0.0,
    bitrate_kbps=1.0,
    encoded_percent=1.0,
    encode_seconds=1.0,
    score_seconds=0.0,
    frames=1,
    cached=False,
)


class _EntryPoint:
    """An entry point that is there already."""

    def __init__(self, number: int) -> None:
        self.name, self.dist = f"listener-{number}", None

    def load(self) -> types.ModuleType:
        @hookimpl
        def vmaftune_before_probe(request: ProbeRequest) -> None:
            pass

        @hookimpl
        def vmaftune_after_probe(request: ProbeRequest, record: ProbeRecord) -> None:
            pass

        module = types.ModuleType(self.name)
        vars(module).update(vmaftune_before_probe=vmaftune_before_probe, vmaftune_after_probe=vmaftune_after_probe)
        return module


def microseconds(plugins: int, rounds: int = 2000) -> list[float]:
    """Time of the events of one probe, for each round."""
    manager = PluginManager([_EntryPoint(n) for n in range(plugins)])  # type: ignore[list-item]
    run = PluginRun(manager, PluginChoice(), Path(tempfile.gettempdir()), print)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run.before_probe(REQUEST)
        run.after_probe(REQUEST, RECORD)
        times.append(1e6 * (time.perf_counter() - began))
    return times


def main() -> None:
    for plugins in (0, 10):
        times = microseconds(plugins)
        print(f"{plugins:2d} plugins: median {statistics.median(times):7.1f} us a probe, most {max(times):7.1f} us")


if __name__ == "__main__":
    main()

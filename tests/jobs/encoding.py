"""One encode, fast and at a given CRF, and what a person was told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from vmaftune.escape import file_url
from vmaftune.jobs.encode import run_encode
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.session import Session

PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.6")
SOUND = ("-f", "lavfi", "-i", "sine=440:duration=0.6")


def encoded(source: Path, output: Path, **options: Any) -> list[str]:
    """Encode, and give what was told beside the result, but for its size: clips of a second are soon larger."""
    told: list[str] = []
    chosen = {"encoder": "libx264", "preset": "ultrafast", "crf": 30.0, "cache": False, **options}
    run_encode(Session({**chosen, "cache_dir": output.parent}, told.append), source, output, JobObserver())
    return [line for line in told if "larger than its source" not in line]


def tags(path: Path) -> dict[str, str]:
    """Of the file, by their names in lower case."""
    with av.open(file_url(path)) as container:
        return {key.lower(): value for key, value in container.metadata.items()}


def kinds(path: Path) -> list[str]:
    """Of the streams."""
    with av.open(file_url(path)) as container:
        return [stream.type for stream in container.streams]


def payloads(path: Path, index: int) -> list[bytes]:
    """Packets of one stream."""
    with av.open(file_url(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams[index]) if packet.size]

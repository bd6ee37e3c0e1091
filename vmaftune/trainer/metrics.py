"""The status as Prometheus reads it: on a port of this host, or in a text file for the node exporter."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from vmaftune.trainer.status import Status

_COUNTERS = ("received", "acknowledged", "refused", "failed", "duplicates", "step", "taken", "training_errors")
_LOOPBACK = "127.0.0.1"
_ASKED_SECONDS = 5.0


def metrics_text(status: Status) -> str:
    """All numbers of a status, in Prometheus' text format."""
    lines = []
    for name in status.__struct_fields__:
        value = getattr(status, name)
        if isinstance(value, int | float) and name != "pid":
            counter = name in _COUNTERS
            metric = f"vmaftune_trainer_{name}{'_total' if counter else ''}"
            lines += [f"# TYPE {metric} {'counter' if counter else 'gauge'}", f"{metric} {float(value):.12g}"]
    return "\n".join(lines) + "\n"


async def serve_metrics(port: int, status: Callable[[], Status]) -> asyncio.Server:
    """Answer every HTTP request on the loopback interface with the metrics. Raises OSError where the port is taken."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _ASKED_SECONDS)
            body = metrics_text(status()).encode()
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await asyncio.wait_for(writer.drain(), _ASKED_SECONDS)
        writer.close()

    return await asyncio.start_server(answer, _LOOPBACK, port, limit=16_384)

"""How the trainer does: for ``trainer status``, and for Prometheus."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec

from vmaftune.trainer.messages import VERSION
from vmaftune.trainer.socketfile import check_length

_ASKED_SECONDS = 5.0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the service.

    Attributes:
        plugin: whose learner it runs; ``pid`` its process.
        uptime_seconds: since it began to listen.
        connections: open now.
        received: samples that came since then; ``acknowledged`` of them were kept, ``refused`` were malformed, ``failed`` could
            not be written, and ``duplicates`` had come before.
        step, taken, buffered, loss, trained_unix_seconds, since_checkpoint, buffer_bytes: as in LearnerStatistics.
        latency_ms, latency_p99_ms: from the arrival of samples to the end of the step that trained on them: median, and what
            99 % of the last thousand groups took at most; None before the first.
        training_errors: how often training, a checkpoint or a snapshot failed; ``last_error`` says why, "" for never.
        checkpoint: version of the last one of this run, None for none; ``stable`` whether it passed the gate.
        spool_bytes, spool_segments: size of the spool, and its number of files.
        durable: whether an answer means that the sample is on the disk.
    """

    plugin: str
    pid: int
    uptime_seconds: float
    connections: int
    received: int
    acknowledged: int
    refused: int
    failed: int
    duplicates: int
    step: int
    taken: int
    buffered: int
    loss: float | None
    trained_unix_seconds: float | None
    since_checkpoint: int
    buffer_bytes: int
    latency_ms: float | None
    latency_p99_ms: float | None
    training_errors: int
    last_error: str
    checkpoint: str | None
    stable: bool | None
    spool_bytes: int
    spool_segments: int
    durable: bool


class _StatusAnswer(msgspec.Struct, frozen=True):
    ok: bool
    status: Status | None = None
    error: str = ""


def status_line(status: Status) -> bytes:
    """The answer to a question for the status."""
    return msgspec.json.encode({"ok": True, "status": status}) + b"\n"


def ask(path: Path) -> Status | None:
    """The status of the trainer that serves ``path``; None where none runs.

    Raises:
        OSError: it does not answer.
        UserError: no socket can have this path.
        ValueError: what answers is no trainer of this version.
    """
    check_length(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ASKED_SECONDS)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        connection.sendall(msgspec.json.encode({"v": VERSION, "status": True}) + b"\n")
        with connection.makefile("rb") as answers:
            line = answers.readline(1 << 20)
    try:
        answer = msgspec.json.decode(line, type=_StatusAnswer)
    except msgspec.MsgspecError as error:
        raise ValueError(f"what answers at {path} is no trainer of this version") from error
    if answer.status is None:
        raise ValueError(f"the trainer at {path} says: {answer.error}")
    return answer.status

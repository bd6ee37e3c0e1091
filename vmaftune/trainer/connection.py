"""One connection of the service: its lines in, its answers out, and the limits that keep its faults its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec

from vmaftune.contract.learner import Sample
from vmaftune.trainer.intake import Group
from vmaftune.trainer.messages import Request, parse, refused, taken
from vmaftune.trainer.status import Status, status_line

_LINES_A_TURN = 256
"""Lines that one connection may have read before the others have their turn."""

_STATUS_LINES = 25
"""Lines that a question for the status counts as: it takes as long to answer."""

_LEAST_WAIT_SECONDS = 0.001


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may take; a connection that takes more waits, or is closed.

    Attributes:
        connections: open at once.
        idle_seconds: without a whole line, after which it is closed.
        lines_a_second: read on the average; a second's worth at once.
        line_bytes: of a line at most.
        unanswered: lines that are read before their answers are written.
    """

    connections: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    idle_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=86_400.0)] = 300.0
    lines_a_second: Annotated[float, msgspec.Meta(ge=1.0, le=1e6)] = 50_000.0
    line_bytes: Annotated[int, msgspec.Meta(ge=1024, le=1 << 20)] = 65_536
    unanswered: Annotated[int, msgspec.Meta(ge=1)] = 8192


class Hub(Protocol):
    """What connections ask of the service, all in the loop's thread.

    Attributes:
        limits: of each connection, and of how many there are.
        unix_seconds: tells the time of samples.
    """

    limits: ConnectionLimits
    unix_seconds: Callable[[], float]

    def opened(self, connection: Connection) -> bool:
        """Whether there is room for one more."""

    def closed(self, connection: Connection) -> None:
        """It is gone."""

    def submit(self, group: Group) -> None:
        """Keep samples; ``group.done`` is called when they are."""

    def soon(self, call: Callable[..., None], *arguments: object) -> None:
        """Call something in the loop's thread. From any thread."""

    def kept(self, samples: int, error: OSError | None) -> bytes:
        """Samples were kept, or could not be: the line that says so."""

    def refusal(self, error: str) -> bytes:
        """A line was malformed: the line that says so."""

    def status(self) -> Status:
        """How it does."""


class Connection(asyncio.Protocol):
    """Reads lines, hands samples to the service in groups, writes the answers in the order of the lines."""

    def __init__(self, service: Hub) -> None:
        self._service, self._limits = service, service.limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._lines: deque[bytes] = deque()  # whole ones that were not looked at yet
        self._rest = b""  # the beginning of the next
        self._unanswered = 0
        self._allowed = self._limits.lines_a_second
        self._allowed_at = self.active_at = self._loop.time()
        self._clogged = self._ending = self._scheduled = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._service.opened(self):
            transport.write(refused("too many connections; come again later", retry=True))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lines.clear()
        self._service.closed(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(lines)
        if len(self._rest) > self._limits.line_bytes:
            self._lines.append(self._rest)
            self._rest = b""
        self._work()

    def eof_received(self) -> bool:
        self._ending = True
        self._close_if_done()
        return True  # what was asked for is still answered

    def pause_writing(self) -> None:
        self._clogged = True  # a client that does not read its answers is not read either

    def resume_writing(self) -> None:
        self._clogged = False
        self._work()

    def stop_reading(self) -> None:
        """Look at no further line, and end when all answers are written."""
        self._lines.clear()
        self._ending = True
        if self._transport is not None:
            self._transport.pause_reading()
        self._close_if_done()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        """Look at as many lines as are allowed now, and come back for the others."""
        if self._transport is None or self._scheduled:
            return
        count = min(len(self._lines), _LINES_A_TURN, self._limits.unanswered - self._unanswered)
        if count > 0 and not self._clogged:
            count = min(count, self._allowance())
            if count > 0:
                self._look_at([self._lines.popleft() for _ in range(count)])
            if self._lines:
                self._scheduled = True
                lacking = 1.0 - self._allowed
                wait = max(lacking / self._limits.lines_a_second, _LEAST_WAIT_SECONDS) if lacking > 0.0 else 0.0
                self._loop.call_later(wait, self._again)
        self._read_on(not self._lines and not self._clogged and not self._ending)

    def _read_on(self, on: bool) -> None:
        if self._transport is not None:
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def _again(self) -> None:
        self._scheduled = False
        self._work()

    def _allowance(self) -> int:
        now = self._loop.time()
        rate = self._limits.lines_a_second
        self._allowed = min(rate, self._allowed + rate * (now - self._allowed_at))
        self._allowed_at = now
        return int(self._allowed)

    def _look_at(self, lines: list[bytes]) -> None:
        self._allowed -= len(lines)
        self.active_at = self._loop.time()
        unix_seconds = self._service.unix_seconds()
        outcomes: list[Sample | bytes] = []
        for line in lines:
            if len(line) > self._limits.line_bytes:
                outcomes.append(self._service.refusal(f"the line is longer than {self._limits.line_bytes} bytes"))
                self._end_after(outcomes)
                return
            try:
                message = parse(line)
            except ValueError as error:
                outcomes.append(self._service.refusal(str(error)))
                continue
            if isinstance(message, Request):
                outcomes.append(message.sample(unix_seconds))
            else:
                outcomes.append(status_line(self._service.status()))
                self._allowed -= _STATUS_LINES
        self._submit(outcomes)

    def _end_after(self, outcomes: list[Sample | bytes]) -> None:
        """Where a line has no end, nothing that follows can be understood."""
        self._submit(outcomes)
        self.stop_reading()

    def _submit(self, outcomes: list[Sample | bytes]) -> None:
        samples = [outcome for outcome in outcomes if isinstance(outcome, Sample)]
        if not samples and not self._unanswered:
            self._write(b"".join(outcome for outcome in outcomes if isinstance(outcome, bytes)))
            return
        self._unanswered += len(outcomes)

        def done(error: OSError | None) -> None:
            self._service.soon(self._answer, outcomes, len(samples), error)

        self._service.submit(Group(samples, done))

    def _answer(self, outcomes: list[Sample | bytes], samples: int, error: OSError | None) -> None:
        answer = self._service.kept(samples, error)
        self._unanswered -= len(outcomes)
        self.active_at = self._loop.time()  # it was the disk that it waited for
        self._write(b"".join(outcome if isinstance(outcome, bytes) else answer for outcome in outcomes))
        self._close_if_done()
        self._work()

    def _write(self, content: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(content)

    def _close_if_done(self) -> None:
        if self._ending and not self._unanswered and not self._lines and self._transport is not None:
            self._transport.close()


def answer_line(step: int, buffered: int, error: OSError | None) -> bytes:
    """What a sample's sender is told."""
    if error is None:
        return taken(step, buffered)
    return refused(f"the sample could not be kept: {error.strerror or error}", retry=True)

"""The encode path's side: hands samples to the trainer without ever waiting for it."""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vmaftune.trainer.messages import Answer, request_line
from vmaftune.trainer.waiting import WaitingRoom

if TYPE_CHECKING:
    from vmaftune.contract.captures import Capture

RING_ENTRIES = 1000

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
"""Without an answer for so long, the trainer hangs."""

_POLL_MS = 10
_LOOK_SECONDS = 0.02
_BACK_OFF_SECONDS = (0.1, 10.0)
_READ_BYTES = _SENT_BYTES = 65_536
_answers = msgspec.json.Decoder(Answer)


def _id_of(capture: Capture) -> str:
    """One that a capture has by itself: a run that was killed may have handed it over, and the next one does so again."""
    return hashlib.blake2b(msgspec.msgpack.encode(capture), digest_size=16).hexdigest()


class ClientCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the samples.

    Attributes:
        handed_over: acknowledged by the trainer.
        spooled: left on the disk for a trainer that starts later.
        dropped: lost, for want of room in the ring and on the disk.
        unfit: not sent, since no trainer takes such: one without all features, or with a value that cannot be.
    """

    handed_over: int
    spooled: int
    dropped: int
    unfit: int


class FeedbackClient:
    """Sends captures to the trainer that serves ``path``. From any thread.

    Samples wait in a ring of 1,000 and go to the trainer from a thread in the background. With no trainer, or one that hangs,
    they go to the disk, under the ids that they were sent with, from where it takes them when it starts.

    Args:
        path: of the trainer's socket.
        waiting: folder in which samples wait for a trainer.
        answer_seconds: without an answer for so long, the trainer hangs.
    """

    def __init__(self, path: Path, waiting: Path, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self._path, self._waiting, self._answer_seconds = path, WaitingRoom(waiting), answer_seconds
        # The thread looks into the ring by itself: to be woken up it would need a processor just when the encode path has it,
        # and would take it away for milliseconds where the trainer is busy.
        self._ring: deque[Capture] = deque()
        self._closing = threading.Event()
        self._unanswered: deque[bytes] = deque()
        self._unsent = bytearray()
        self._connection: socket.socket | None = None
        self._received = b""  # the beginning of an answer
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._close_at: float | None = None  # monotonic
        self._retry_at, self._back_off = 0.0, _BACK_OFF_SECONDS[0]
        self._handed_over = self._spooled = self._dropped = self._unfit = 0

    def send(self, capture: Capture) -> None:
        """Hand over one capture. Never blocks, never raises; with the ring full, the capture is dropped and counted."""
        if len(self._ring) + len(self._unanswered) >= RING_ENTRIES or self._close_at is not None:
            with self._lock:
                self._dropped += 1
            return
        self._ring.append(capture)
        if self._thread is None:
            self._start()

    def dropped(self) -> int:
        """How many captures were lost."""
        return self._dropped

    def counts(self) -> ClientCounts:
        """What became of the captures so far."""
        return ClientCounts(
            handed_over=self._handed_over, spooled=self._spooled, dropped=self._dropped, unfit=self._unfit
        )

    def close(self, timeout: float = 1.0) -> ClientCounts:
        """Hand over what is left; after ``timeout`` seconds the rest goes to the disk. May come twice."""
        if self._close_at is None:
            self._close_at = time.monotonic() + timeout
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout + 1.0)  # a disk that hangs is not waited for
        self._drop_the_rest()
        return self.counts()

    # --- In the background ---

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="trainer-client", daemon=True)
                with contextlib.suppress(RuntimeError):  # no thread to be had: what is sent is dropped in the end
                    thread.start()
                    self._thread = thread

    def _drop_the_rest(self) -> None:
        """Count what came too late for the thread, or found none."""
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                self._dropped += len(self._ring)
                self._ring.clear()

    def _run(self) -> None:
        while self._close_at is None or self._unanswered or self._ring:
            if not self._ring:
                self._closing.wait(_LOOK_SECONDS)
            try:
                self._exchange()
            except Exception:  # the socket's, in all likelihood; whatever it is, the samples are safer on the disk
                self._disconnect()
                self._to_disk()
        self._disconnect()

    def _encode(self) -> None:
        """Turn captures into lines with an id that they keep however often they are sent, and whoever sends them."""
        while self._ring:
            capture = self._ring[0]
            fields = (capture.encoder, capture.preset, capture.crf, capture.features.values, capture.observed)
            try:
                line = request_line(_id_of(capture), *fields, capture.scale)
            except Exception:  # ValueError for a feature that could not be measured
                self._unfit += 1
            else:
                self._unanswered.append(line)
                self._unsent += line
            self._ring.popleft()

    def _exchange(self) -> None:
        """Send all lines and read all answers. Raises OSError where there is no trainer, or it hangs."""
        self._encode()
        self._forget_closed()
        if self._unanswered and self._connection is None:
            self._connect()
        answered_at = time.monotonic()
        while self._unanswered:
            now = time.monotonic()
            if now - answered_at > self._answer_seconds or (self._close_at is not None and now > self._close_at):
                raise TimeoutError("the trainer does not answer")
            if self._talk():
                answered_at = time.monotonic()
            self._encode()

    def _forget_closed(self) -> None:
        """A trainer that was restarted, or tired of waiting during a long encode, is as good as before."""
        if self._connection is not None:
            polled = select.poll()
            polled.register(self._connection, select.POLLIN)
            if polled.poll(0):  # no answer is due: it is the end
                self._connection.close()
                self._connection = None

    def _connect(self) -> None:
        if time.monotonic() < self._retry_at:
            raise ConnectionRefusedError("no trainer a moment ago")
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(str(self._path))
        except BaseException:
            connection.close()
            raise
        connection.setblocking(False)
        self._connection, self._received, self._unsent = connection, b"", bytearray(b"".join(self._unanswered))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._retry_at = time.monotonic() + self._back_off
        self._back_off = min(2.0 * self._back_off, _BACK_OFF_SECONDS[1])

    def _talk(self) -> bool:
        """Send and read what can be, without waiting long; whether an answer came."""
        connection = self._connection
        assert connection is not None
        polled = select.poll()
        polled.register(connection, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        ready = polled.poll(_POLL_MS)
        if ready and ready[0][1] & select.POLLOUT:
            del self._unsent[: connection.send(memoryview(self._unsent)[:_SENT_BYTES].tobytes())]
        if not ready or not ready[0][1] & ~select.POLLOUT:
            return False
        if not (received := connection.recv(_READ_BYTES)):
            raise ConnectionResetError("the trainer closed the connection")
        *answers, self._received = (self._received + received).split(b"\n")
        self._answered(answers)
        return bool(answers)

    def _answered(self, lines: list[bytes]) -> None:
        """Answers come in the order of the samples."""
        again = []
        for line in lines:
            answer, sent = _answers.decode(line), self._unanswered.popleft()
            if answer.ok:
                self._handed_over += 1
                self._back_off = _BACK_OFF_SECONDS[0]
            elif answer.retry:
                again.append(sent)
            else:
                self._unfit += 1
        self._leave(again)

    def _to_disk(self) -> None:
        lines = list(self._unanswered)
        self._unanswered.clear()
        self._unsent.clear()
        self._leave(lines)

    def _leave(self, lines: list[bytes]) -> None:
        """Put lines where a trainer finds them when it starts."""
        kept = 0
        if lines:
            with contextlib.suppress(OSError):
                kept = self._waiting.append(lines)
        self._spooled += kept
        with self._lock:
            self._dropped += len(lines) - kept

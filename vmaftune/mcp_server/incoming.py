"""Lines of the protocol as they come in: each that is no message is answered, so that nobody waits for ever."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import mcp_types as types

Answer = Callable[[types.JSONRPCError], Awaitable[None]]

_NOT_JSON, _NO_MESSAGE = -32700, -32600
_ESCAPE = re.compile(r"\\(?:u(?:d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(d[89a-f][0-9a-f]{2}))|.)", re.IGNORECASE)


class Incoming:
    """Standard input line by line, as ``stdio_server`` takes it.

    Half of a surrogate pair, which no text may hold, becomes U+FFFD: the message is then answered as any other.

    Attributes:
        answer: sends the answer to a line that is no message.
    """

    def __init__(self) -> None:
        # As the SDK reads it, which would then claim its descriptor too; no job gets ours.
        self._lines = anyio.wrap_file(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace"))
        self.answer: Answer | None = None

    async def __aiter__(self) -> AsyncIterator[str]:
        async for line in self._lines:
            whole = without_halves(line)
            wrong = _wrong(whole)
            if wrong is None:
                yield whole
            elif whole.strip() and self.answer is not None:
                await self.answer(wrong)


def without_halves(line: str) -> str:
    """JSON without escapes of half a surrogate pair."""
    return _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], line)


def _wrong(line: str) -> types.JSONRPCError | None:
    """The answer to a line that is no message; None where it is one."""
    try:
        types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        pass
    else:
        return None
    code, said, id_ = _NO_MESSAGE, "this is no message of JSON-RPC 2.0", None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        code, said = _NOT_JSON, "this is no JSON"
    else:
        held = found.get("id") if isinstance(found, dict) else None
        id_ = held if isinstance(held, str) or (isinstance(held, int) and not isinstance(held, bool)) else None
    return types.JSONRPCError(jsonrpc="2.0", id=id_, error=types.ErrorData(code=code, message=said))

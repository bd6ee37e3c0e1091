"""The server as its users run it, spoken to by the official client over standard input and output."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest

from tests.cli.conftest import Program, clip, clips, ffmpeg, longer, program
from tests.events.conftest import encode

pytest.importorskip("mcp", reason="the MCP SDK is not installed")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

__all__ = ["clip", "clips", "encode", "ffmpeg", "longer", "program"]

PROC = Path("/proc/self/environ").exists()
_MARK = "VMAFTUNE_TEST_MARK"
_SECONDS = 240

Conversation = Callable[[ClientSession], Awaitable[Any]]


@dataclass(frozen=True)
class Server:
    """Starts servers, each with one client; their processes carry a mark, so that those left behind are found."""

    program: Program
    mark: str

    def talk(self, conversation: Conversation, *roots: Path, options: tuple[str, ...] = ()) -> Any:
        """What ``conversation`` returns; the server has ended afterwards."""
        command, *rest = self.program.command("mcp", *(word for root in roots for word in ("--root", root)), *options)
        env = {**self.program.env(), _MARK: self.mark}
        parameters = StdioServerParameters(command=command, args=rest, env=env, cwd=self.program.home)

        async def run() -> Any:
            with anyio.fail_after(_SECONDS), (self.program.home / "stderr").open("w") as stderr:
                async with stdio_client(parameters, errlog=stderr) as streams, ClientSession(*streams) as session:
                    await session.initialize()
                    return await conversation(session)

        return anyio.run(run)

    def call(self, tool: str, arguments: dict[str, Any], *roots: Path) -> Any:
        """The result of one call; a structured one is as its schema says."""

        async def conversation(session: ClientSession) -> Any:
            schemas = {tool.name: tool.output_schema for tool in (await session.list_tools()).tools}
            result = await session.call_tool(tool, arguments)
            if not result.is_error:
                jsonschema.validate(result.structured_content, schemas[tool])
            return result

        return self.talk(conversation, *roots)

    def processes(self) -> dict[int, str]:
        """Command lines, by process, of all that carry the mark and have not ended."""
        found = {}
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and f"{_MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def left(self, least: int) -> dict[int, str]:
        """Its processes once no more than ``least`` are left, or those that will not end."""
        for _ in range(200):
            left = self.processes()
            if len(left) <= least:
                break
            time.sleep(0.05)
        return left


@pytest.fixture
def server(program: Program) -> Server:
    return Server(program, uuid.uuid4().hex)


def said(result: Any) -> str:
    """The text of an error."""
    assert result.is_error and len(result.content) == 1
    text: str = result.content[0].text
    assert "Traceback" not in text and "\n" not in text
    return text

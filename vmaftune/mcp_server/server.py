"""The server: the tools of this package over the protocol's standard input and output."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import msgspec
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from vmaftune import __version__
from vmaftune.ending import asked_to_end
from vmaftune.errors import VmafTuneError
from vmaftune.jobs.session import warn
from vmaftune.mcp_server import scoring, searching
from vmaftune.mcp_server.child import Jobs
from vmaftune.mcp_server.incoming import Incoming
from vmaftune.mcp_server.roots import Roots
from vmaftune.mcp_server.tool import Answer, Tool, Work, schema_of
from vmaftune.media.facts import shown
from vmaftune.state.folders import config_file

TOOLS = {tool.name: tool for tool in (*scoring.TOOLS, *searching.TOOLS)}


def serve(folders: Sequence[Path], most_jobs: int, host: Mapping[str, Path | None]) -> None:
    """Serve until the client goes away or a signal comes; all jobs have ended afterwards.

    Args:
        folders: that may be read.
        most_jobs: that run at once.
        host: ``config``, ``ffmpeg`` and ``cache_dir`` of every job, where they are given.

    Raises:
        UserError: a folder is none.
    """
    roots = Roots(folders)
    own = config_file()
    hidden = roots.holds(own)  # what lies in a root is data
    if hidden and host.get("config") is None and own.is_file():
        warn(f"{shown(own)} lies in a --root: it is not in force; name it with --config if it is to be")
    anyio.run(_serve, roots, Jobs(most_jobs, host, user_config=not hidden))


async def _serve(roots: Roots, jobs: Jobs) -> None:
    server = _server(roots, jobs)
    async with anyio.create_task_group() as group:
        group.start_soon(_end_on_signal, jobs)
        incoming: Any = Incoming()
        async with stdio_server(stdin=incoming) as (read, write):

            async def answer(error: types.JSONRPCError) -> None:
                await write.send(SessionMessage(error))

            incoming.answer = answer
            await server.run(read, write, server.create_initialization_options())
        await jobs.end()
        group.cancel_scope.cancel()


async def _end_on_signal(jobs: Jobs) -> None:
    """End the jobs, then at once: standard input is being read in a thread that nothing but its end would wake."""
    with anyio.open_signal_receiver(*asked_to_end()) as signals:
        async for number in signals:
            await jobs.end()
            os._exit(128 + number)


def _server(roots: Roots, jobs: Jobs) -> Server[Any]:
    async def list_tools(context: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_shown(tool) for tool in TOOLS.values()])

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            return _failed(f"there is no tool {params.name!r}; there is: {', '.join(TOOLS)}")
        work = Work(roots=roots, jobs=jobs, report=context.session.report_progress)
        try:
            asked = msgspec.convert(params.arguments or {}, tool.takes)
        except msgspec.ValidationError as error:
            return _failed(f"arguments of {tool.name}: {error}")
        try:
            return _answered(await tool.run(work, asked))
        except VmafTuneError as error:
            return _failed(str(error))
        except Exception as error:
            print(f"vmaf-tune: {tool.name}: {type(error).__name__}: {error}", file=sys.stderr)
            return _failed(f"{tool.name} failed by a fault of vmaf-tune itself; its standard error says more")

    folders = ", ".join(shown(folder) for folder in roots.folders)
    return Server(
        "vmaf-tune",
        version=__version__,
        title="vmaf-tune",
        instructions=f"Video quality (VMAF) and the CRF that reaches it. Files can be read below: {folders}.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _shown(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=schema_of(tool.takes),
        output_schema=schema_of(tool.gives),
        annotations=types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _answered(answer: Answer) -> types.CallToolResult:
    built = _plain(msgspec.to_builtins(answer.result))
    content: list[Any] = [types.TextContent(type="text", text=msgspec.json.encode(built).decode())]
    for caption, picture in answer.pictures:
        data = base64.b64encode(picture).decode("ascii")
        content += [types.TextContent(type="text", text=caption)]
        content += [types.ImageContent(type="image", data=data, mime_type="image/png")]
    return types.CallToolResult(content=content, structured_content=built)


def _failed(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=_plain(message))], is_error=True)


def _plain(value: Any) -> Any:
    """What the protocol can carry: bytes of a file name that are no UTF-8, which Python has as lone surrogates, escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_plain(key): _plain(held) for key, held in value.items()}
    return [_plain(held) for held in value] if isinstance(value, list | tuple) else value

"""Progress while a call runs; and whatever ends a call or the server, no process of it is left."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import ClientSession

from tests.mcp.conftest import PROC, Server, said

LINUX = pytest.mark.skipif(not PROC, reason="processes are looked up in /proc")


def slow(source: Path) -> dict[str, Any]:
    """A search that takes much longer than a test waits."""
    return {"source": source.name, "encoder": "libx264", "preset": "veryslow", "vmaf_scale": "1920x1080"}


async def _begun(session: ClientSession, source: Path, then: Callable[[], Awaitable[Any]]) -> None:
    """Call a slow search, and do ``then`` when its first probe runs."""
    probing = anyio.Event()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        if message and message.startswith("probe") and done > 0.01:  # of ffmpeg's own telling
            probing.set()

    async def call() -> None:
        try:
            await session.call_tool("crf_search", slow(source), progress_callback=progress)
        except Exception:
            assert probing.is_set()  # the server is gone, as the test wanted

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await probing.wait()
        await then()
        group.cancel_scope.cancel()


def test_progress_rises(server: Server, clip: Path) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))

    async def conversation(session: ClientSession) -> Any:
        arguments = {"source": clip.name, "encoder": "libx264", "vmaf_scale": "none", "min_vmaf": 90}
        return await session.call_tool("crf_search", arguments, progress_callback=progress)

    found = server.talk(conversation, clip.parent).structured_content
    done = [step for step, _, _ in told]
    assert all(later > earlier for earlier, later in itertools.pairwise(done))
    assert done[-1] >= len(found["probes"])
    assert {f"probe {n}" for n in range(1, len(found["probes"]) + 1)} <= {(m or "").split(":")[0] for _, _, m in told}


def test_progress_of_several_models_goes_to_its_total(server: Server, longer: Path) -> None:
    told: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total))

    async def conversation(session: ClientSession) -> Any:
        arguments = {"reference": longer.name, "distorted": longer.name, "models": ["vmaf_v0.6.1neg"]}
        return await session.call_tool("compare_models", arguments, progress_callback=progress)

    assert not server.talk(conversation, longer.parent).is_error
    assert {total for _, total in told} == {2.0} and all(done <= 2 for done, _ in told)
    assert [done for done, _ in told] == sorted({done for done, _ in told}) and told[-1][0] > 1


@LINUX
def test_a_cancelled_search_ends_ffmpeg_and_the_server_goes_on(server: Server, longer: Path) -> None:
    during: dict[int, str] = {}
    after: dict[int, str] = {}

    async def conversation(session: ClientSession) -> Any:
        async def look() -> None:
            during.update(server.processes())

        await _begun(session, longer, look)
        after.update(await anyio.to_thread.run_sync(server.left, 1))
        return await session.call_tool("vmaf_score", {"reference": longer.name, "distorted": longer.name})

    result = server.talk(conversation, longer.parent)
    assert any("crf-search" in line for line in during.values())
    assert any("libx264" in line and "crf-search" not in line for line in during.values())  # ffmpeg
    assert len(after) == 1 and " mcp " in next(iter(after.values()))
    assert not result.is_error and server.left(0) == {}
    assert server.program.left_behind() == []


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_that_is_ended_leaves_no_process(server: Server, longer: Path, number: signal.Signals) -> None:
    async def conversation(session: ClientSession) -> Any:
        async def end() -> None:
            running = server.processes()
            assert len(running) >= 3  # server, job, ffmpeg
            os.kill(next(pid for pid, line in running.items() if " mcp " in line), number)
            await anyio.to_thread.run_sync(server.left, 0)

        await _begun(session, longer, end)

    server.talk(conversation, longer.parent)
    assert server.left(0) == {}


@LINUX
def test_a_client_that_goes_away_leaves_no_process(server: Server, longer: Path) -> None:
    command = server.program.command("mcp", "--root", longer.parent)
    env = {**server.program.env(), "VMAFTUNE_TEST_MARK": server.mark}
    child = subprocess.Popen(command, env=env, cwd=server.program.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None and child.stdout is not None
    for message in _call("crf_search", slow(longer)):
        child.stdin.write(json.dumps(message).encode() + b"\n")
    child.stdin.flush()
    progress = 0.0
    while progress < 0.01:
        progress = json.loads(child.stdout.readline()).get("params", {}).get("progress", 0.0)
    assert len(server.processes()) >= 3
    child.stdin.close()
    assert child.wait(30) == 0
    assert server.left(0) == {} and server.program.left_behind() == []


def _call(tool: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a client that calls one tool."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    meta = {"progressToken": 7}
    return [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": meta},
        },
    ]


def test_nothing_but_the_protocol_is_written(server: Server, clip: Path, encode: Path) -> None:
    """Not even what a plugin prints."""
    site = server.program.home / "site"
    info = site / "vmaftune_loud-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vmaftune-loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[vmaftune]\nloud = loud\n")
    (site / "loud.py").write_text("print('a plugin that prints when it is loaded', flush=True)\n")
    child = subprocess.Popen(
        server.program.command("mcp", "--root", clip.parent),
        env=server.program.env(PYTHONPATH=str(site)),
        cwd=server.program.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None and child.stdout is not None
    calls = _call("vmaf_score", {"reference": clip.name, "distorted": encode.name, "vmaf_scale": "none"})
    calls.append({**calls[-1], "id": 3, "params": {"name": "list_models", "arguments": {}}})
    for message in calls:
        child.stdin.write(json.dumps(message).encode() + b"\n")
    child.stdin.flush()
    answers: dict[int, Any] = {}
    while not {2, 3} <= set(answers):
        message = json.loads(child.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        if "id" in message:
            answers[message["id"]] = message
    child.stdin.close()
    assert child.stdout.read() == b"" and child.wait(30) == 0
    assert 0 < answers[2]["result"]["structuredContent"]["vmaf"] < 100


@LINUX
def test_jobs_wait_for_each_other_and_too_many_are_refused(server: Server, longer: Path) -> None:
    refused: list[str] = []
    most = 0

    async def conversation(session: ClientSession) -> None:
        async def call() -> None:
            refused.append(said(await session.call_tool("crf_search", slow(longer))))

        async def look() -> None:
            nonlocal most
            async with anyio.create_task_group() as group:
                for _ in range(17):
                    group.start_soon(call)
                while not refused:
                    await anyio.sleep(0.05)
                for _ in range(10):
                    running = [line for line in server.processes().values() if "crf-search" in line]
                    most = max(most, len(running))
                    await anyio.sleep(0.05)
                group.cancel_scope.cancel()

        await _begun(session, longer, look)

    server.talk(conversation, longer.parent)
    assert most == 1 and len(refused) == 1 and "16 jobs wait already" in refused[0]
    assert server.left(0) == {}

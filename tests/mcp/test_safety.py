"""What is in a root is data: nothing in it is run or decides how a job runs. And every request gets an answer."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.mcp.conftest import Server, said
from vmaftune.mcp_server.incoming import without_halves


def _evil(folder: Path) -> Path:
    """A configuration whose ffmpeg leaves a file behind when it is run; returns that file."""
    folder.mkdir(parents=True, exist_ok=True)
    program, ran = folder / "evil", folder / "ran"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    program.chmod(0o755)
    (folder / "vmaf-tune.toml").write_text(f"[search]\nffmpeg = '{program}'\nencoder = 'libx264'\n")
    return ran


def test_no_configuration_is_read_from_the_current_folder(server: Server, clip: Path, encode: Path) -> None:
    ran = _evil(server.program.home)  # which the server is started in
    arguments = {"reference": clip.name, "distorted": str(encode), "vmaf_scale": "none"}
    result = server.call("vmaf_score", arguments, clip.parent, encode.parent, server.program.home)
    assert not result.is_error and not ran.exists()


def test_the_users_configuration_is_in_force_unless_a_root_holds_it(server: Server, clip: Path) -> None:
    ran = _evil(server.program.home / "config" / "vmaf-tune")
    arguments = {"source": clip.name, "encoder": "libx264", "vmaf_scale": "none", "min_vmaf": 50, "max_probes": 1}
    result = server.call("crf_search", arguments, clip.parent, server.program.home)
    assert not result.is_error and not ran.exists()
    assert "lies in a --root: it is not in force" in (server.program.home / "stderr").read_text()
    assert server.call("crf_search", arguments, clip.parent).is_error and ran.exists()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX")
def test_a_root_whose_name_is_no_text_is_served(server: Server, clip: Path, tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"root-\xff")
    root.mkdir()
    (root / "film.mkv").write_bytes(clip.read_bytes())
    arguments = {"source": "film.mkv", "encoder": "libx264", "vmaf_scale": "none", "min_vmaf": 50, "max_probes": 1}
    result = server.call("crf_search", arguments, root)
    assert "root-" in result.structured_content["encode_command"]
    assert "outside" in said(server.call("crf_search", {"source": "/etc/passwd"}, root))


def _answers(server: Server, root: Path, *lines: bytes) -> list[Any]:
    """Answers to raw lines that follow the handshake."""
    hello = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    }
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    sent = [json.dumps(hello).encode(), json.dumps(ready).encode(), *lines]
    with subprocess.Popen(
        server.program.command("mcp", "--root", root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=server.program.env(),
        cwd=server.program.home,
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(b"".join(line + b"\n" for line in sent))
        child.stdin.flush()
        answers = [json.loads(child.stdout.readline()) for _ in range(1 + len(lines))]
        child.stdin.close()
        assert child.wait(60) == 0
    return answers[1:]


def test_every_line_is_answered(server: Server, clip: Path) -> None:
    call = '{{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":"predict_crf","arguments":{{"source":"{}"}}}}}}'
    lines = [
        call.format(1, r"film\ud800.mkv").encode(),
        call.format(2, r"film\udcff\udcff.mkv").encode(),
        call.format(3, "film").encode().replace(b"film", b"film\xff"),
        b"this is nothing",
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "id": "seven"}',
    ]
    found = {answer["id"]: answer for answer in _answers(server, clip.parent, *lines)}
    for number in (1, 2, 3):
        assert found[number]["result"]["isError"] and "there is no file" in json.dumps(found[number])
    assert found["seven"]["error"]["code"] == -32600
    assert found[None]["error"]["code"] == -32700


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r'"\ud83d"', r'"\ufffd"'),
        (r'"\uDE00\uD83D"', r'"\ufffd\ufffd"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\ud83dx\n"', r'"\ufffdx\n"'),
    ],
)
def test_half_a_pair_is_replaced_and_a_whole_one_is_not(line: str, whole: str) -> None:
    assert without_halves(line) == whole

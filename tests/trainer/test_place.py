"""The socket's place is taken only where nothing that is not ours is lost."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.trainer.conftest import Served, request


def refused(served: Served) -> str:
    """The one line with which it does not start."""
    process = served.launch()
    assert process.wait(20) == 1
    lines = [line for line in served.errors.read_text().splitlines() if not line.startswith("{")]
    assert len(lines) == 1 and lines[0].startswith("vmaf-tune: "), lines
    return lines[0]


def test_socket_and_lock_are_the_owners_alone(served: Served) -> None:
    served.start()
    there = served.socket.stat()
    assert stat.S_ISSOCK(there.st_mode) and stat.S_IMODE(there.st_mode) == 0o600
    for lock in (served.socket.with_name("t.sock.lock"), served.folder / "service.lock"):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert served.stop() == 0 and not served.socket.exists()


def test_a_second_one_is_refused(served: Served) -> None:
    served.start()
    first = served.process
    assert "another trainer uses the folder" in refused(served)
    served.folder = served.home / "other"
    served.errors.unlink()
    assert "another trainer uses the socket" in refused(served)
    assert first is not None and first.poll() is None
    assert served.connect().say(request("a"))["ok"]
    first.terminate()
    assert first.wait(10) == 0


def test_a_stale_socket_is_replaced(served: Served) -> None:
    served.start()
    served.kill()
    assert served.socket.exists()
    served.start()
    assert served.connect().say(request("a"))["ok"]


def test_a_regular_file_is_left_alone(served: Served) -> None:
    served.socket.write_text("mine")
    assert "is no socket; it is left alone" in refused(served)
    assert served.socket.read_text() == "mine"


def test_a_folder_is_left_alone(served: Served) -> None:
    served.socket.mkdir()
    assert "is no socket" in refused(served)


def test_a_symlink_is_left_alone(served: Served, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    served.socket.symlink_to(tmp_path / "target")
    assert "is a symbolic link" in refused(served)
    assert served.socket.is_symlink() and (tmp_path / "target").read_text() == "mine"


def test_a_socket_that_somebody_else_serves_is_left_alone(served: Served) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(served.socket))
        other.listen()
        assert "another program serves" in refused(served)
        assert served.socket.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file")
def test_another_users_socket_is_left_alone(served: Served) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(served.socket))
    os.chown(served.socket, 12345, 12345)
    assert "belongs to another user" in refused(served)
    assert served.socket.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_of_another_user_is_one_line(served: Served) -> None:
    served.socket.parent.chmod(0o755)
    script = (
        "import os, sys; from pathlib import Path; from vmaftune.errors import UserError\n"
        "from vmaftune.trainer.socketfile import listening\n"
        "os.setuid(12345)\n"
        "try:\n  with listening(Path(sys.argv[1])): pass\n"
        "except UserError as error: print(error)"
    )
    command = [sys.executable, "-c", script, str(served.socket)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.startswith("cannot lock the socket ") and "Permission denied" in done.stdout, done.stderr


def test_a_path_that_is_too_long_is_one_line(served: Served) -> None:
    served.socket = served.socket.with_name("x" * 120)
    assert "longer than the 107 bytes" in refused(served)


@pytest.mark.parametrize("mine", [True, False])
def test_a_socket_that_was_removed_ends_it(served: Served, mine: bool) -> None:
    """So that whoever supervises it starts it again: nobody can reach it any more."""
    process = served.start()
    assert served.connect().say(request("a"))["ok"]
    served.socket.unlink()
    if mine:
        served.socket.write_text("mine")
    assert process.wait(10) == 1
    assert f"vmaf-tune: somebody removed the socket {served.socket}; start" in served.errors.read_text()
    assert served.held().ids == ["a"]
    assert not mine or served.socket.read_text() == "mine", "only its own is removed"


def test_two_that_start_at_once(served: Served) -> None:
    processes = []
    lock = threading.Lock()

    def launch() -> None:
        with lock:
            processes.append(served.launch())

    threads = [threading.Thread(target=launch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until = time.monotonic() + 60
    while all(process.poll() is None for process in processes):
        assert time.monotonic() < until, "both go on"
        time.sleep(0.05)
    time.sleep(0.5)
    assert sorted((process.poll() for process in processes), key=str) == [1, None]
    for process in processes:
        process.kill()
        process.wait()

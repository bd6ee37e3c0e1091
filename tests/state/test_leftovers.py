"""Temporary files and folders: a kill between any two steps leaves nothing for good, and nothing that lives is removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vmaftune.state import atomic, leftovers
from vmaftune.state.workspace import workspace

OTHER, ANOTHER = 61_234, 61_235  # user ids that nobody has
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other users")


def forked(work: Callable[[], object], *, user: int | None = None, killed_at: int | None = None) -> int:
    """Do ``work`` in a process of its own, as ``user``; killed before its call number ``killed_at`` into the system.

    Returns:
        The status that the process ended with; negative for a signal.
    """
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            if user is not None:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            if killed_at is not None:
                _kill_at(killed_at)
            work()
            status = 0
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _kill_at(number: int) -> None:
    calls = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal calls
        if event.split(".")[0] in ("open", "os", "fcntl", "shutil"):
            calls += 1
            if calls == number + 1:  # the kill is such a call too
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def use(folder: Path) -> None:
    """A run: a temporary folder with something in it, and a file that is written."""
    with workspace(folder) as temporary:
        (temporary / "piece").write_bytes(b"x")
        (temporary / "deeper").mkdir()
        (temporary / "deeper" / "piece").write_bytes(b"x")
    atomic.write(folder / "result", b"whole")


def abandoned(folder: Path) -> None:
    """What two killed runs leave: a folder with its lock, and half a file."""

    def die() -> None:
        _, _ = leftovers.make(folder, leftovers.FILE)
        with workspace(folder) as temporary:
            (temporary / "piece").write_bytes(b"x")
            os.kill(os.getpid(), signal.SIGKILL)

    assert forked(die) == -signal.SIGKILL
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("before", [lambda folder: None, abandoned], ids=["nothing there", "killed before"])
def test_a_kill_at_any_call_leaves_nothing_for_good(tmp_path: Path, before: Callable[[Path], None]) -> None:
    killed = 0
    while True:
        before(tmp_path)
        status = forked(lambda: use(tmp_path), killed_at=killed)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        with workspace(tmp_path) as temporary:
            there = {path.name for path in tmp_path.iterdir()} - {"result"}
            assert there == {temporary.name, f".{temporary.name}.lock"}, killed
        result = tmp_path / "result"
        assert not result.exists() or result.read_bytes() == b"whole"
        result.unlink(missing_ok=True)
        killed += 1
    assert killed > 15
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_written_file_removes_what_killed_runs_left_and_no_other(tmp_path: Path) -> None:
    abandoned(tmp_path)
    for name in ("vmaf-tune-notes", ".vmaf-tune-notes.txt", ".other.tmp"):
        (tmp_path / name).touch()
    (tmp_path / "vmaf-tune-film").mkdir()
    with workspace(tmp_path) as alive:
        atomic.write(tmp_path / "result", b"")
        assert alive.is_dir()
    left = {"vmaf-tune-notes", ".vmaf-tune-notes.txt", ".other.tmp", "vmaf-tune-film", "result"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_live_runs_keep_theirs_while_others_are_killed(tmp_path: Path) -> None:
    end = time.monotonic() + 1.5

    def live() -> None:
        while time.monotonic() < end:
            with workspace(tmp_path) as temporary:
                piece = temporary / "piece"
                piece.write_bytes(b"x")
                atomic.write(tmp_path / f"result{os.getpid()}", b"x" * 1000)
                assert piece.read_bytes() == b"x"

    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                live()
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(child)
    number = 0
    while time.monotonic() < end:
        forked(lambda: use(tmp_path), killed_at=number % 40)
        number += 1
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    use(tmp_path)
    assert all(path.name.startswith("result") for path in tmp_path.iterdir())


def test_what_a_program_still_writes_into_is_removed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        use(tmp_path)
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("vmaf-tune-")]) == 2
    use(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_lock_that_is_no_file_stops_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "film").touch()
    base = tmp_path / "base"
    base.mkdir()
    (base / ".vmaf-tune-a.lock").symlink_to(outside / "film")
    (base / ".vmaf-tune-b.lock").mkdir()
    os.mkfifo(base / ".vmaf-tune-c.tmp")
    (base / ".vmaf-tune-d.lock").touch()
    (base / "vmaf-tune-d").symlink_to(outside)
    use(base)
    assert (outside / "film").exists() and (base / "result").exists()


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder as /tmp is: everybody's, with the sticky bit."""
    folder = Path(tempfile.mkdtemp(prefix="common-", dir="/tmp"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@as_root
@pytest.mark.parametrize("user", [ANOTHER, None], ids=["user", "root"])
def test_folders_of_other_users_stop_nobody_and_stay(common: Path, user: int | None) -> None:
    def leave() -> None:
        for name in ("vmaf-tune-old", "vmaf-tune-made"):
            (common / name).mkdir(mode=0o700)
            (common / name / "owner.lock").touch(mode=0o600)
        (common / ".vmaf-tune-made.lock").touch(mode=0o600)
        (common / ".vmaf-tune-part.tmp").touch(mode=0o600)

    assert forked(leave, user=OTHER) == 0
    before = sorted(path.name for path in common.iterdir())

    def run() -> None:
        with workspace(common) as temporary:
            (temporary / "piece").touch()

    assert forked(run, user=user) == 0
    assert sorted(path.name for path in common.iterdir()) == before


@as_root
def test_a_folder_that_may_be_written_to_and_not_listed_is_enough(common: Path) -> None:
    common.chmod(0o733)

    def run() -> None:
        with workspace(common) as temporary:
            (temporary / "piece").touch()

    assert forked(run, user=OTHER) == 0

"""A file is written whole or not at all, also when the writer is killed, and nothing that is there is ever lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmaftune.state import atomic

WRITER = """
import sys
from collections.abc import Iterator
from pathlib import Path
from vmaftune.state import atomic
path, number = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    number += 1
    atomic.write(path, bytes([number % 256]) * 300_000)
"""


def test_a_killed_writer_leaves_the_old_content_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "file"
    moments = random.Random(1)
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0.0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 300_000 and len(set(content)) == 1


def test_a_failed_write_leaves_the_old_content_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write(path, b"old")
    with pytest.raises(TypeError):
        atomic.write(path, "text")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    atomic.write(tmp_path / "a" / "b" / "file", b"content")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"content"


def test_files_that_are_set_aside_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "file"
    made = []
    for content in ("first", "second", "third"):
        path.write_text(content)
        made.append(atomic.set_aside(path, "bad"))
        assert not path.exists()
    assert [file.name for file in made] == ["file.bad", "file.bad-2", "file.bad-3"]
    assert [file.read_text() for file in made] == ["first", "second", "third"]


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_a_file_has_the_mode_that_the_umask_asks_for(tmp_path: Path) -> None:
    atomic.write(tmp_path / "file", b"x")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    (tmp_path / "file").chmod(0o664)
    atomic.write(tmp_path / "file", b"y")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o664, "a file that is replaced keeps its mode"


@pytest.mark.usefixtures("open_umask")
def test_a_private_file_is_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    atomic.write(tmp_path / "file", b"y", private=True)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    atomic.write(tmp_path / "pipe", b"x")
    assert os.read(reader, 10) == b"x" and [path.name for path in tmp_path.iterdir()] == ["pipe"]
    os.close(reader)

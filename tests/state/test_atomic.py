"""A file is written whole or not at all, also when the writer is killed, and nothing that is there is ever lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vmaftune.state import atomic

WRITER = """
import sys
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

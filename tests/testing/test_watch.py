"""What the checks see of a process that makes a plugin: every way to change a file, and every way to reach a host."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.testing.broken_trainers import Good
from vmaftune.contract import TrainerSpec
from vmaftune.testing.check import ContractError
from vmaftune.testing.process import Report
from vmaftune.testing.subject import Subject

SUBJECT = Subject(TrainerSpec(name="here", version="1", factory=Good), None, {})


CHANGES = {
    "(elsewhere / 'new-1').touch()": "new-1",
    "(elsewhere / 'there-1').open('r+')": "there-1",
    "os.open(elsewhere / 'new-2', os.O_CREAT | os.O_WRONLY)": "new-2",
    "(elsewhere / 'new-3').mkdir()": "new-3",
    "(elsewhere / 'gone-1').unlink()": "gone-1",
    "(elsewhere / 'there-2').chmod(0o600)": "there-2",
    "os.utime(elsewhere / 'there-3')": "there-3",
    "os.truncate(elsewhere / 'there-4', 1)": "there-4",
    "(elsewhere / 'gone-2').rename(folder / 'taken')": "gone-2",
    "(folder / 'given').touch(); (folder / 'given').replace(elsewhere / 'new-4')": "new-4",
    "os.link(elsewhere / 'there-5', elsewhere / 'new-5')": "new-5",
    "os.symlink(folder, elsewhere / 'new-6')": "new-6",
    "os.rmdir(elsewhere / 'gone-3')": "gone-3",
    "sqlite3.connect(elsewhere / 'new-7')": "new-7",
    "sqlite3.connect(f'file:{elsewhere}/new-8?mode=rwc', uri=True)": "new-8",
    "Path('relative-1').touch()": "relative-1",
    "tempfile.NamedTemporaryFile(prefix='for-a-while-')": "for-a-while-",
}
"""Statements, and what must be in what is said of them."""

HARMLESS = [
    "(elsewhere / 'there-1').read_bytes(); list(elsewhere.iterdir()); tempfile.gettempdir()",
    "elsewhere.mkdir(exist_ok=True)",
    "Path(os.devnull).write_bytes(b'x')",
    "(folder / 'a' / 'b').mkdir(parents=True); (folder / 'a' / 'b' / 'c').touch(); shutil.rmtree(folder / 'a')",
    "tempfile.NamedTemporaryFile(dir=folder).close()",
    "sqlite3.connect(folder / 'data.sqlite').execute('create table t (x)'); sqlite3.connect(':memory:')",
    "sqlite3.connect(f'file:{elsewhere}/there-1?mode=ro', uri=True)",
    "first, second = socket.socketpair(); first.sendmsg([b'x'])",
    "os.chdir(folder); Path('relative-2').touch()",
]

REACHES = {
    "socket.create_connection(('127.0.0.1', 9), timeout=0.1)": "socket.connect ('127.0.0.1', 9)",
    "socket.getaddrinfo('localhost', 80)": "socket.getaddrinfo 'localhost'",
    "socket.gethostbyname('localhost')": "socket.gethostbyname 'localhost'",
    "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))": "socket.sendto ('127.0.0.1', 9)",
    "socket.socket().bind(('127.0.0.1', 0))": "socket.bind ('127.0.0.1', 0)",
}
LOCAL = "socket.socket(socket.AF_UNIX).connect('/nobody/listens/here')"


def do(trainer: Good, statements: Sequence[str], elsewhere: Path) -> None:
    """The job of the processes. Statements know the folders ``elsewhere`` and ``folder``, which is the cache folder."""
    folder = trainer.folder.parent
    for statement in statements:
        with contextlib.suppress(OSError):
            exec(f"import os, shutil, socket, sqlite3, tempfile, time\n{statement}", {**globals(), **locals()})


def seen(statements: Iterable[str], tmp_path: Path, *, local_sockets: bool = False) -> Report:
    elsewhere, cache = tmp_path / "elsewhere", tmp_path / "cache"
    for folder in (elsewhere, cache, elsewhere / "gone-3"):
        folder.mkdir()
    for name in ("there-1", "there-2", "there-3", "there-4", "there-5", "gone-1", "gone-2"):
        (elsewhere / name).touch()
    return SUBJECT.together(cache, do, [(list(statements), elsewhere)], local_sockets=local_sockets)[0]


def test_every_change_elsewhere_is_seen(tmp_path: Path) -> None:
    report = seen(CHANGES, tmp_path)
    assert [what for what, named in CHANGES.items() if not any(named in told for told in report.writes)] == []
    assert report.reaches == []


def test_what_may_be_done_is_not_held_against_it(tmp_path: Path) -> None:
    report = seen(HARMLESS, tmp_path)
    assert (report.writes, report.reaches) == ([], [])


def test_reaching_for_a_host_is_seen(tmp_path: Path) -> None:
    report = seen([*REACHES, LOCAL], tmp_path)
    assert {*REACHES.values(), "socket.connect '/nobody/listens/here'"} <= set(report.reaches)
    assert report.writes == []


def test_a_socket_of_this_host_is_no_network_where_it_is_allowed(tmp_path: Path) -> None:
    assert seen([LOCAL], tmp_path, local_sockets=True).reaches == []


def test_a_process_that_dies_is_told_of_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"ended with status 7: farewell"):
        seen(["os.write(2, b'farewell\\n'); os._exit(7)"], tmp_path)


def test_processes_begin_together(tmp_path: Path) -> None:
    """Each waits for the other's file: one after the other would never end well."""
    wait = (
        "(folder / '{mine}').touch(); until = time.monotonic() + 20\n"
        "while not (folder / '{other}').exists(): assert time.monotonic() < until; time.sleep(0.01)"
    )
    jobs = [([wait.format(mine=mine, other=other)], tmp_path) for mine, other in (("a", "b"), ("b", "a"))]
    assert len(SUBJECT.together(tmp_path, do, jobs)) == 2

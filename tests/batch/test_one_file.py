"""Nothing about one file ends a batch, in the process that hands out the jobs either."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.batch.conftest import QUICK, results
from tests.cli.conftest import Program
from tests.conftest import Clips
from tests.media.odd import unknown
from vmaftune.batch import estimate
from vmaftune.batch.messages import Job, Result, Step
from vmaftune.batch.queue import Queue, Row, Wanted
from vmaftune.batch.run import BatchObserver, run_batch
from vmaftune.batch.teacher import Teacher
from vmaftune.ffmpeg.locate import locate
from vmaftune.state.store import Store


def test_a_codec_that_nobody_knows_is_a_failed_row(program: Program, many: Path, tmp_path: Path) -> None:
    films = program.home / "films"
    films.mkdir()
    unknown(Clips(locate(None, Store(None)), tmp_path), films)
    shutil.copy(many / "clip00.mkv", films / "zz.mkv")
    ended = program("batch", films, "--search-only", *QUICK, "--json")
    assert ended.code == 1 and "Traceback" not in ended.err
    failed, done = results(ended.out)
    assert (failed["state"], failed["code"], done["state"]) == ("failed", 2, "done")
    assert "ffmpeg does not know the codec" in failed["reason"]


class _Executor:
    """Does nothing; the job of ``0.mkv`` ends in an error that nobody expects."""

    slots = 1

    def submit(self, job: Job, tell: Callable[[Step], None]) -> Future[Result]:
        future: Future[Result] = Future()
        if job.path.name == "0.mkv":
            future.set_exception(RuntimeError("odd"))
        else:
            future.set_result(Result(code=0, report={}))
        return future

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def rows(tmp_path: Path) -> Mapping[str, Any]:
    files = [tmp_path / f"{number}.mkv" for number in range(3)]
    for file in files:
        file.write_bytes(b"no film")
    outputs = [tmp_path / "out" / "0.mkv", tmp_path / "a\0b" / "1.mkv", tmp_path / "out" / "2.mkv"]
    wanted = [Wanted(file=f, output=o, options={}) for f, o in zip(files, outputs, strict=True)]
    return {"wanted": wanted, "queue": tmp_path / "queue.sqlite"}


def test_what_nobody_expects_of_one_file_is_its_row(rows: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*arguments: object) -> None:
        raise AttributeError("odd")

    monkeypatch.setattr(estimate, "read_facts", odd)
    queue = Queue(rows["queue"])
    try:
        ids = queue.add(rows["wanted"]).ids
        warned: list[str] = []
        teacher = Teacher({}, warned.append)
        monkeypatch.setattr(teacher, "_run", odd)

        def learn(row: Row, result: Result) -> None:
            teacher.learn(row, Result(code=0, captures=[object()]))  # type: ignore[list-item]

        run_batch(queue, _Executor(), BatchObserver(), ids=ids, host={}, learn=learn)
        states = {row.path.name: (row.state, row.reason) for row in queue.rows()}
    finally:
        queue.close()
    assert states["0.mkv"] == ("failed", "a fault of vmaf-tune itself, please report it: RuntimeError: odd")
    assert states["1.mkv"][0] == "failed" and "cannot make the folder" in states["1.mkv"][1]
    assert states["2.mkv"][0] == "done"
    assert len(warned) == 3 and all("nothing was learned" in line for line in warned)

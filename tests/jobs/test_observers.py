"""Several observers of one job are each told of everything, in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmaftune.batch.observers import BatchObservers
from vmaftune.batch.run import BatchObserver
from vmaftune.crf_search.engine import Observer
from vmaftune.jobs.observer import JobObserver
from vmaftune.jobs.observers import Observers

METHODS = [name for name in dir(JobObserver) if not name.startswith("_")]


def _recording(name: str, kind: type[Observer], told: list[tuple[Any, ...]]) -> Observer:
    def record(method: str) -> Any:
        return lambda self, *arguments, **named: told.append((name, method, arguments, named))

    methods = [method for method in dir(kind) if not method.startswith("_")]
    recording: type[Observer] = type(name, (kind,), {method: record(method) for method in methods})
    return recording()


@pytest.mark.parametrize("method", METHODS)
def test_each_is_told(method: str) -> None:
    told: list[tuple[Any, ...]] = []
    both = Observers(_recording("a", JobObserver, told), _recording("b", JobObserver, told))
    getattr(both, method)(1, two=2)
    assert told == [("a", method, (1,), {"two": 2}), ("b", method, (1,), {"two": 2})]


def test_each_is_told_of_a_batch() -> None:
    told: list[tuple[Any, ...]] = []
    methods = [name for name in dir(BatchObserver) if not name.startswith("_")]
    recording = type(
        "recording", (BatchObserver,), {m: lambda self, *said, m=m: told.append((m, said)) for m in methods}
    )
    for method in methods:
        getattr(BatchObservers(recording(), recording()), method)(1, 2)
    assert told == [(method, (1, 2)) for method in methods for _ in range(2)]


def test_one_that_knows_searches_alone_is_told_of_those_alone() -> None:
    told: list[tuple[Any, ...]] = []
    observers = Observers(_recording("search", Observer, told))
    observers.encoding(Path("out.mkv"), 24.0, 100)
    observers.progress(0.5)
    assert told == [("search", "progress", (0.5,), {})]


def test_what_one_raises_ends_the_job() -> None:
    class Full(Observer):
        def progress(self, share: float) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Observers(Full(), Observer()).progress(0.5)

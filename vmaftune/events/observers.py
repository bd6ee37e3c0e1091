"""Several observers of one job, or of one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vmaftune.batch.run import BatchObserver
from vmaftune.crf_search.engine import Observer
from vmaftune.jobs.observer import JobObserver


class Observers(JobObserver):
    """Tells each of ``told``, in their order, of all that a JobObserver is told of.

    One that knows of searches alone (a plain Observer) is told of those alone.
    """

    def __init__(self, *told: Observer) -> None:
        self._told = told


class BatchObservers(BatchObserver):
    """Tells each of ``told``, in their order, of all that a BatchObserver is told of."""

    def __init__(self, *told: BatchObserver) -> None:
        self._told = told


def _to_all(name: str) -> Callable[..., None]:
    def tell(self: Observers | BatchObservers, *arguments: Any, **named: Any) -> None:
        for observer in self._told:
            method = getattr(observer, name, None)
            if method is not None:
                method(*arguments, **named)

    return tell


# Made from the methods there are, so that one that is added is passed on without a word here.
for _told, _telling in ((JobObserver, Observers), (BatchObserver, BatchObservers)):
    for _name in dir(_told):
        if not _name.startswith("_"):
            setattr(_telling, _name, _to_all(_name))

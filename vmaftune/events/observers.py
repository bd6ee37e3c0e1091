"""Several observers of one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vmaftune.crf_search.engine import Observer
from vmaftune.jobs.observer import JobObserver


class Observers(JobObserver):
    """Tells each of ``told``, in their order, of all that a JobObserver is told of.

    One that knows of searches alone (a plain Observer) is told of those alone.
    """

    def __init__(self, *told: Observer) -> None:
        self._told = told


def _to_all(name: str) -> Callable[..., None]:
    def tell(self: Observers, *arguments: Any, **named: Any) -> None:
        for observer in self._told:
            method = getattr(observer, name, None)
            if method is not None:
                method(*arguments, **named)

    return tell


# Made from the methods there are, so that one that is added is passed on without a word here.
for _name in dir(JobObserver):
    if not _name.startswith("_"):
        setattr(Observers, _name, _to_all(_name))

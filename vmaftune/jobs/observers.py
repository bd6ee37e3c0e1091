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


def pass_on(telling: type[Any]) -> None:
    """Make every public method of a class, which keeps observers in ``_told``, call the same one of each of them.

    Made from the methods there are, so that one that is added is passed on without a word more.
    """
    for name in dir(telling):
        if not name.startswith("_"):
            setattr(telling, name, _to_all(name))


def _to_all(name: str) -> Callable[..., None]:
    def tell(self: Any, *arguments: Any, **named: Any) -> None:
        for observer in self._told:
            method = getattr(observer, name, None)
            if method is not None:
                method(*arguments, **named)

    return tell


pass_on(Observers)

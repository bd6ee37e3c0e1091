"""Several observers of one batch."""

from __future__ import annotations

from vmaftune.batch.run import BatchObserver
from vmaftune.jobs.observers import pass_on


class BatchObservers(BatchObserver):
    """Tells each of ``told``, in their order, of all that a BatchObserver is told of."""

    def __init__(self, *told: BatchObserver) -> None:
        self._told = told


pass_on(BatchObservers)

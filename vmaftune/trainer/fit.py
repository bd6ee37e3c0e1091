"""``trainer fit``: what the service does, in one go, on what waits on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from vmaftune.contract.learner import Learner, Published, Sample
from vmaftune.trainer.intake import Intake
from vmaftune.trainer.log import Log
from vmaftune.trainer.socketfile import owned
from vmaftune.trainer.spool import Spool
from vmaftune.trainer.waiting import WaitingRoom


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """What was done: ``samples`` that the learner had not had before, all it has ``taken``, ``steps`` of this run."""

    samples: int
    taken: int
    steps: int
    loss: float | None
    published: Published | None


def fit(folder: Path, waiting: Path, make_learner: Callable[[], Learner], steps: int | None) -> Fitted:
    """Train on all that waits, then write a checkpoint and a snapshot.

    Args:
        folder: of spool and learner.
        waiting: folder in which clients left samples.
        steps: at most; None for as many as the learner finds samples for.

    Raises:
        UserError: a service uses the folder.
        OSError: something cannot be read or written.
    """
    with owned(folder / "service", "the folder"):
        learner = make_learner()
        spool = Spool(folder / "spool")
        new = 0

        def ingested(count: int, arrived: float) -> None:
            nonlocal new
            new += count

        done = 0

        def train() -> None:
            nonlocal done
            while (steps is None or done < steps) and learner.train():
                done += 1

        def keep(samples: Sequence[Sample]) -> None:
            intake.keep(samples)
            train()  # at once: of a learner that is far behind, the oldest would only be replayed

        intake = Intake(spool, learner, Log(), ingested)
        new = intake.recover()
        train()
        WaitingRoom(waiting).take_in(keep, time.time())
        published = learner.checkpoint(time.time(), force=True) if done else None
        learner.snapshot()
        statistics = learner.statistics()
        spool.covered(statistics.taken)
        spool.close()
        return Fitted(samples=new, taken=statistics.taken, steps=done, loss=statistics.loss, published=published)

"""``sgd-ema-trainer``: online training of the network beside the encodes (ADR-0781)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from vmaftune_plugins.trainers.sgd_ema_settings import Settings

from vmaftune import hookimpl
from vmaftune.contract import Capture, PluginContext, TrainerSpec
from vmaftune.contract.learner import Learner, LearnerContext
from vmaftune.trainer.client import FeedbackClient
from vmaftune.trainer.socketfile import default_socket

NAME = "sgd-ema-trainer"
VERSION = "1.0.0"

_CLOSE_SECONDS = 1.0


class FeedbackTrainer:
    """Hands every capture to ``vmaf-tune trainer serve``, or to the disk, where it or ``trainer fit`` finds it.

    Args:
        warn: shows one line.
    """

    def __init__(self, socket: Path, waiting: Path, warn: Callable[[str], None]) -> None:
        self._client = FeedbackClient(socket, waiting)
        self._warn = warn
        self._taught = self._closed = False

    def learn(self, capture: Capture) -> None:
        """Never blocks."""
        self._taught = True
        self._client.send(capture)

    def close(self) -> None:
        """Hand over what is left, and say what became of the captures."""
        if self._closed:
            return
        self._closed = True
        counts = self._client.close(_CLOSE_SECONDS)
        if self._taught:
            said = [f"{counts.handed_over} scores handed to the trainer"]
            said += [f"{counts.spooled} wait on the disk for one"] if counts.spooled else []
            said += [f"{counts.dropped} lost"] if counts.dropped else []
            said += [f"{counts.unfit} of no use, for want of a feature"] if counts.unfit else []
            self._warn(", ".join(said))


def _make(context: PluginContext) -> FeedbackTrainer:
    return FeedbackTrainer(default_socket(context.cache_folder), context.cache_folder / "trainer", context.warn)


def _make_learner(context: LearnerContext) -> Learner:
    from vmaftune_plugins.trainers.learner import make_learner  # torch comes with it

    return make_learner(context)


@hookimpl
def vmaftune_trainers() -> Iterator[TrainerSpec]:
    yield TrainerSpec(
        name=NAME,
        version=VERSION,
        factory=_make,
        settings=Settings,
        summary="trains the network while this host encodes (SGD and EMA, ADR-0781); see vmaf-tune trainer",
        thread_safe=True,
        budget_ms=1.0,
        learner=_make_learner,
    )

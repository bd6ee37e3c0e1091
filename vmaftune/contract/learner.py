"""What the service needs of a learner, and what it gives it. A trainer plugin brings one (TrainerSpec.learner)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from vmaftune.quality.scale import USUAL, Scale


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One score to learn from. No name, path or hash of a source in it.

    Attributes:
        id: of the message it came in, chosen by its sender; the same id is the same sample.
        encoder, preset, crf: the encode.
        features: in the order and units of vmaftune.contract.features.NAMES.
        true_score: score that was measured.
        unix_seconds: when it came in.
        scale: of what scale ``true_score`` is.
    """

    id: str
    encoder: str
    preset: str | None
    crf: float
    features: tuple[float, ...]
    true_score: float
    unix_seconds: float
    scale: Scale = USUAL


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that was written.

    Attributes:
        version: of the model, id and short hash.
        stable: whether it passed the gate and is what ``latest-stable`` names now.
        reasons: why it did not pass.
    """

    version: str
    stable: bool
    reasons: tuple[str, ...]


class LearnerStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Where a learner is.

    Attributes:
        step: optimiser steps made since the shipped weights.
        taken: samples ever taken in; ``buffered`` of them are held.
        loss: of the last steps, smoothed; None before the first.
        trained_unix_seconds: when the last step ended; None before the first.
        since_checkpoint: samples taken in since the last checkpoint.
        buffer_bytes: memory of the buffer.
    """

    step: int
    taken: int
    buffered: int
    loss: float | None
    trained_unix_seconds: float | None
    since_checkpoint: int
    buffer_bytes: int


@dataclass(frozen=True, kw_only=True)
class LearnerContext:
    """What the service gives a learner's factory.

    Attributes:
        settings: the plugin's, validated.
        folder: for its checkpoints and snapshots; the only place where it may write.
        warn: shows one line.
    """

    settings: Any
    folder: Path
    warn: Callable[[str], None]


class Learner(Protocol):
    """Trains a model on samples. ``ingest`` may be called from any thread, all else from one thread that is not that one."""

    def ingest(self, samples: Sequence[Sample]) -> None:
        """Take in samples; fast, and never waits for a step. Those of an encoder, preset or scale that its model
        does not know are counted and left out."""

    def train(self) -> bool:
        """Make one optimiser step; False where there is nothing to train on yet."""

    def checkpoint(self, unix_seconds: float, *, force: bool = False) -> Published | None:
        """Publish a checkpoint if one is due (or ``force``); None where none was.

        Raises OSError where it could not be written: nothing half written is left, and training goes on.
        """

    def snapshot(self) -> None:
        """Write buffer, weights, EMA, optimiser, step and counters so that a restart goes on where this was. Raises OSError."""

    def restore(self) -> int:
        """Read the last snapshot, if there is one; how many samples had been taken in when it was made."""

    def statistics(self) -> LearnerStatistics:
        """Where it is; from any thread."""

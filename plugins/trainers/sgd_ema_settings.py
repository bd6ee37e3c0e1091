"""Settings of ``sgd-ema-trainer`` (``[plugins.sgd-ema-trainer]``)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    """How the trainer learns, and when it publishes.

    Attributes:
        model: id of the registered model whose weights, scaler and data it starts from.
        buffer: samples that the replay buffer holds.
        batch: samples of a step: half of them the newest, the other half replayed from the buffer.
        optimiser: ``sgd``, with momentum, or ``adam``.
        learning_rate: after the warm-up of 100 steps; None is what suits the optimiser.
        momentum: of SGD.
        ema: decay of the exponential moving average of the weights.
        loss: ``huber`` (linear from 3 VMAF on) or ``mse``.
        rehearsal: rows of the corpus that the model was made from, for each sample of a step; 0 rehearses nothing.
        ewc: strength of elastic weight consolidation; 0 switches it off.
        held_out: share of the stream's sources that are never trained on, for the stability gate.
        seed: of what is drawn for the batches.
        checkpoint_minutes, checkpoint_samples: both must have passed since the last checkpoint.
        keep: checkpoints that are kept.
    """

    model: str = "mlp_v1"
    buffer: Annotated[int, msgspec.Meta(ge=64, le=10_000_000)] = 10_000
    batch: Annotated[int, msgspec.Meta(ge=2, le=4096)] = 32
    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] | None = None
    momentum: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.9
    ema: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.999
    loss: Literal["huber", "mse"] = "huber"
    rehearsal: Annotated[float, msgspec.Meta(ge=0.0, le=100.0)] = 4.0
    ewc: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    held_out: Annotated[float, msgspec.Meta(gt=0.0, le=0.5)] = 0.2
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    checkpoint_minutes: Annotated[float, msgspec.Meta(ge=0.0)] = 10.0
    checkpoint_samples: Annotated[int, msgspec.Meta(ge=1)] = 1000
    keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5

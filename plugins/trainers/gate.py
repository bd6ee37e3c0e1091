"""The stability gate: which checkpoints become ``latest-stable``.

A checkpoint is compared with the model that is stable now on two sets that it was never trained on: a slice of the stream,
split by source, and the reference, a fixed part of the corpus that the first model was made from. On each, correlation may
fall by 0.002 at most and the mean absolute error must not rise.

The first model was fitted to the reference itself, with an error there of half of what it has on sources it never saw, so
the least training on anything raises it. On the reference alone, the error may therefore rise, but to no more than
``REFERENCE_SHARE`` above that of the first model, in all, however many checkpoints follow one another.

The stream may lie, and its slice lies alike, so the checkpoint that believes it looks better there. Two things tell: lies about
content that the corpus knows raise the error on the reference; lies about other content lie far outside what the stable
model holds possible. A lie within that, about content that the corpus does not know, cannot be told from news.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from vmaftune_plugins.trainers.encoded import SCORE, Rows, source_of

LARGEST_PLCC_FALL = 0.002
REFERENCE_SHARE = 0.25
BELIEVABLE_DEVIATIONS = 4.0
UNBELIEVABLE_SHARE = 0.15
"""Of a domain that is new to the stable model, up to 5 in 100 scores were farther off than BELIEVABLE_DEVIATIONS."""

LEAST_SAMPLES = 30
LEAST_SOURCES = 3


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How well a model says the scores of a set.

    Attributes:
        plcc: Pearson's correlation of predicted and true VMAF; 0 where either does not vary.
        mae_vmaf: mean absolute error.
    """

    plcc: float
    mae_vmaf: float


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says of a checkpoint.

    Attributes:
        reasons: why it is rejected; none where it passes.
        metrics: figures of the checkpoint by name, as the registry keeps them.
    """

    reasons: tuple[str, ...]
    metrics: dict[str, float]


def fit(predicted: np.ndarray, rows: Rows) -> Fit:
    """How well predictions fit rows, both of length n."""
    predicted, truth = predicted.astype(float), rows[:, SCORE].astype(float)
    mae = float(np.abs(predicted - truth).mean())
    if not (np.isfinite(mae) and predicted.std() > 0 and truth.std() > 0):
        return Fit(plcc=0.0, mae_vmaf=mae)
    return Fit(plcc=float(np.corrcoef(predicted, truth)[0, 1]), mae_vmaf=mae)


def judge(
    stream: Rows, deviations: np.ndarray, on_stream: Mapping[str, Fit], on_reference: Mapping[str, Fit]
) -> Verdict:
    """Compare a checkpoint with the stable model.

    Args:
        stream: held-out rows of the stream, and ``deviations`` how far from the stable model's expectation each score
            is, in standard deviations of its own.
        on_stream, on_reference: fit of the ``checkpoint``, the ``stable`` model and the ``first`` model on these rows (where
            there are any) and on the reference.
    """
    reasons: list[str] = []
    metrics: dict[str, float] = {}
    sources = len({source_of(row) for row in stream})
    if len(stream) < LEAST_SAMPLES or sources < LEAST_SOURCES:
        held = f"the held-out slice of the stream has {len(stream)} samples of {sources} sources"
        reasons.append(f"{held}; it takes {LEAST_SAMPLES} of {LEAST_SOURCES}")
    else:
        new, stable = on_stream["checkpoint"], on_stream["stable"]
        metrics |= {"mae_vmaf stream": new.mae_vmaf, "plcc stream": new.plcc}
        reasons += _worse("the held-out slice of the stream", new, stable.plcc, stable.mae_vmaf)
        if not (far := float((deviations > BELIEVABLE_DEVIATIONS).mean())) <= UNBELIEVABLE_SHARE:
            than = f"farther than {BELIEVABLE_DEVIATIONS:g} standard deviations from what the stable model expects"
            reasons.append(f"{100 * far:.0f} % of the held-out scores of the stream are {than}")
    new, stable, first = (on_reference[name] for name in ("checkpoint", "stable", "first"))
    metrics |= {"mae_vmaf reference": new.mae_vmaf, "plcc reference": new.plcc}
    most = max(stable.mae_vmaf, first.mae_vmaf * (1.0 + REFERENCE_SHARE))
    reasons += _worse("the reference", new, max(stable.plcc, first.plcc), most)
    finite = {name: round(value, 4) for name, value in metrics.items() if np.isfinite(value)}
    return Verdict(reasons=tuple(reasons), metrics=finite)


def _worse(where: str, new: Fit, plcc: float, mae_vmaf: float) -> list[str]:
    """Written so that a figure that is no number is worse."""
    reasons = []
    if not new.plcc >= plcc - LARGEST_PLCC_FALL:
        reasons.append(f"PLCC on {where} fell from {plcc:.4f} to {new.plcc:.4f}")
    if not new.mae_vmaf <= mae_vmaf:
        reasons.append(f"mean absolute error on {where} is {new.mae_vmaf:.3f} VMAF, above {mae_vmaf:.3f}")
    return reasons

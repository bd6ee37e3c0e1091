"""What a tiny model says of the frames that libvmaf has just scored, beside the real score."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.errors import UserError
from vmaftune.models.full_reference import CANONICAL_6, TinyModel
from vmaftune.quality.pooling import pooled


class TinyScore(msgspec.Struct, frozen=True, kw_only=True):
    """A tiny model's scores of a video.

    Attributes:
        model: as it was named.
        vmaf: pooled as the real score is.
        rmse: root of the mean squared difference from the real score of each frame, VMAF.
        per_frame: where it is asked for.
    """

    model: str
    vmaf: float
    rmse: float
    per_frame: list[float] | None


def tiny_score(
    model: TinyModel, name: str, metrics: Sequence[dict[str, float]], pool: str, *, per_frame: bool
) -> TinyScore:
    """Score frames from the features that libvmaf measured for the real score.

    Args:
        metrics: libvmaf's of each frame, in order.
        pool: as of vmaftune.quality.pooling.

    Raises:
        UserError: a feature is missing or not finite.
        VmafTuneError: the model failed.
    """
    said = model.scores(canonical_6(metrics))
    real = np.array([frame["vmaf"] for frame in metrics])
    return TinyScore(
        model=name,
        vmaf=round(pooled(said, pool), 6),
        rmse=round(float(np.sqrt(np.mean((said - real) ** 2))), 6),
        per_frame=said.tolist() if per_frame else None,
    )


def canonical_6(metrics: Sequence[dict[str, float]]) -> FloatArray:
    """Features of frames, raw, shape (n, 6); libvmaf's fixed-point ones carry a prefix.

    Raises:
        UserError: the VMAF model in use measures other features.
    """
    try:
        return np.array(
            [[frame.get(f"integer_{n}", frame.get(n)) for n in CANONICAL_6] for frame in metrics], dtype=float
        )
    except TypeError as error:
        raise UserError(
            f"a tiny model needs {', '.join(CANONICAL_6)}, which this --vmaf-model does not measure; leave it out"
        ) from error

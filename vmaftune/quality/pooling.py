"""How the scores of frames become one."""

from __future__ import annotations

import numpy as np

from vmaftune.errors import UserError


def check_pool(pool: str) -> str:
    """``pool`` if it is ``mean``, ``harmonic_mean``, ``min`` or ``pN`` with N from 0 to 100.

    Raises:
        UserError: it is none of these.
    """
    percentile = pool[1:]
    if pool in ("mean", "harmonic_mean", "min") or (
        pool[:1] == "p" and percentile.isdecimal() and int(percentile) <= 100
    ):
        return pool
    raise UserError(f"--pool {pool!r} must be mean, harmonic_mean, min or pN (a percentile, such as p5)")


def pooled(scores: np.ndarray, pool: str) -> float:
    """One score from those of all frames.

    Args:
        scores: of each frame, shape (frames,).
        pool: see check_pool. The harmonic mean is libvmaf's, ``1 / mean(1 / (v + 1)) - 1``.
    """
    if pool == "mean":
        return float(np.mean(scores))
    if pool == "harmonic_mean":
        return float(1.0 / np.mean(1.0 / (scores + 1.0)) - 1.0)
    if pool == "min":
        return float(np.min(scores))
    return float(np.percentile(scores, int(pool[1:])))

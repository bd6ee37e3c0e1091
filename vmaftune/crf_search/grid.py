"""The CRF grid of a search: the values an encoder is tried at, from the best quality to the coarsest."""

from __future__ import annotations

import numpy as np

from vmaftune.contract.curves import FloatArray
from vmaftune.contract.encoders import EncoderSpec
from vmaftune.encoders.spec import number
from vmaftune.errors import UserError


def crf_grid(spec: EncoderSpec, minimum: float | None, maximum: float | None, increment: float | None) -> FloatArray:
    """Multiples of the step within the range, shape (n,), ordered from best to coarsest quality.

    Args:
        minimum, maximum: ``--min-crf`` and ``--max-crf``; None takes the encoder's search range.
        increment: ``--crf-increment``; None takes the encoder's step.

    Raises:
        UserError: the range is empty, outside what the encoder takes, or the increment is not positive.
    """
    low = spec.search_range[0] if minimum is None else minimum
    high = spec.search_range[1] if maximum is None else maximum
    step = spec.step if increment is None else increment
    least, most = spec.quality_range
    if not step >= 0.01:
        raise UserError(f"--crf-increment {step:g} must be at least 0.01")
    if low > high:
        raise UserError(f"--min-crf {number(low)} is above --max-crf {number(high)}")
    for option, value in (("--min-crf", low), ("--max-crf", high)):
        if not least <= value <= most:
            raise UserError(f"{option} {number(value)}: {spec.name} takes CRF {number(least)} to {number(most)}")
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    grid = np.round(np.arange(first, last + 1) * step, 6)
    if not len(grid):
        raise UserError(f"no multiple of --crf-increment {step:g} lies from {number(low)} to {number(high)}")
    return grid[::-1].copy() if spec.higher_is_better else grid
